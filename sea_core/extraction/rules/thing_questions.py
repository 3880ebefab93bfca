"""Questions and requests about a thing: patterns of what stands before a noun phrase."""

from __future__ import annotations

from sea_core.extraction.rules.vocabulary import (
    AFTERMATH,
    ASPECTS,
    CAN,
    CAUSING,
    COST,
    DETAILS,
    EFFECTIVE,
    FIND,
    FOR_ONE,
    GIVE,
    HOW_GOOD,
    HOW_GOOD_WAYS,
    I_WANT_TO,
    IS,
    JUDGED,
    JUDGED_TO,
    LEARN,
    MAKE,
    ONE,
    OPINION,
    PICTURE,
    SIDE,
    SKILL,
    SOFT,
    SOMEONE,
    THE_BEST,
    THE_USE,
    WILL_YOU,
    any_in,
    any_of,
)

# "get sick", "bring back": no thing that somebody gets.
STATE_OR_WAY = any_in(
    "back, up, out, down, away, off, over, in, into, through, sick, high, drunk, rid, caught, arrested, killed, hurt, "
    "pregnant, addicted, fired, married, lost, used, infected"
)

# What speaks of a thing or of an activity as a topic.
TOPICS = (
    r"how (?:dangerous|common|effective|safe|harmful|addictive|reliable|accurate|expensive|bad|potent|toxic|popular) "
    r"(?:is|are|was|were) ",
    rf"(?:can|could|will|would) {ONE} (?:get|become|be) addicted to ",
    rf"(?:{WILL_YOU} )?{SOFT}(?:tell (?:me|us)(?: more| something| everything)?|talk|discuss)(?: in detail)? about the "
    rf"(?:\w+ )?{ASPECTS} of ",
    rf"(?:are|were) {ONE} (?:really |so |ever )?(?:(?:afraid|proud|ashamed|guilty|tired|in favou?r|scared|fond|"
    r"capable) of|against|okay with|ok with) ",
    r"what (?:first )?got you (?:interested in|into) ",
    rf"(?:{WILL_YOU} )?{SOFT}(?:explain|discuss) (?:to (?:me|us) )?"
    rf"(?!(?:the|this|these|those|a|an) |{DETAILS}(?:how|why|what|that|if|when)\b)",
    rf"(?:{WILL_YOU} )?{SOFT}(?:tell (?:me|us)(?: more| something| everything)?|talk|discuss)(?: in detail)? about ",
    rf"what(?: is|'s| are) your (?:[\w-]+ )?{OPINION} (?:on|of|about|towards?|regarding|with|in) {THE_USE}",
    rf"what (?:do|would|did) {ONE} {SOFT}(?:think|feel) (?:of|about) {THE_USE}",
    rf"how (?:do|would|did) {ONE} {SOFT}feel (?:about|towards?) {THE_USE}",
    rf"(?:is|are|was) there (?:anything|something) {SOFT}{JUDGED} (?:with|about|in) ",
    rf"there(?:'s| is) (?:nothing|something) {SOFT}{JUDGED} (?:with|about|in) ",
    r"(?:is|are) there (?:an? |any )?(?:laws?|rules?|punishments?|penalt(?:y|ies)|evidence|proof|harm|benefits?) "
    r"(?:against|for|of|in) ",
    rf"what(?: is|'s) {JUDGED} (?:with|about|in) ",
    rf"what(?: is|'s) {THE_BEST}(?:most [\w-]+ |\w+ )?{SIDE} (?:with|in|about|of) ",
    rf"(?:do|did|does) {ONE} have (?:any |much |a lot of )?{SKILL} (?:in|with|on|of|at) ",
    rf"what(?: is|'s| was) the (?:most )?[\w-]+ (?:experience|thing|part|story) (?:that )?(?:you|{ONE})(?:'ve| have)? "
    r"(?:ever )?(?:had|experienced) (?:with|in|while|of) ",
    rf"(?:are|were|is) {ONE} (?:really |any |so |ever )?"
    r"(?:good|bad|skilled|experienced|interested|involved) (?:at|in) ",
    rf"(?:have|has) {ONE} (?:ever |already )?(?:been (?:addicted to|into|part of|involved in|exposed to|interested in)|"
    r"heard (?:of|about)|had (?:any )?experiences? with) ",
    rf"do {ONE} {SOFT}(?:like|love|hate|support|enjoy|prefer|recommend|believe in|agree with|approve of|condone) ",
    r"(?:i'm|i am|we're|we are) (?:really |very |so )?"
    r"(?:interested in|into|curious about|fascinated by|obsessed with) ",
    rf"why (?:should|do|would) {ONE} (?:even )?care (?:about|for) ",
    rf"why (?:are|is) {ONE} so [\w-]+ (?:about|of|to|with|towards?|by) ",
    rf"why (?:do|don't|does|did) (?:{ONE}|everyone|so many people|some people) (?:\w+ly |even |still )?(?:hate|"
    rf"love|like|"
    r"dislike|fear|need|want) (?!to )",
    r"are you (?:for or against|pro) ",
    r"what (?:(?:should|can|could|must) (?:be done|we do|the government do)) (?:about|against|with) ",
    rf"(?:why (?:are|do|did)|what made) {ONE} (?:so )?(?:into|against|oppose|support|for|in favou?r of) ",
    rf"{THE_BEST}arguments? (?:for|against|in favou?r of) ",
    r"(?:what|which) (?:[\w'-]+ ){1,4}?(?:do you think |would you say )?(?:is|are|would be) (?:the )?"
    r"(?:best|most [\w-]+|[a-z]+est|good|ideal|suitable)(?: suited)? for (?!my |your |our )",
    r"(?:what|which) (?:[\w'-]+ ){1,4}?works? best (?:for|with|on) (?!my |your |our )",
    r"(?:has|have) there (?:ever )?been (?:any )?(?:[\w-]+ )?"
    r"(?:breakthroughs?|advances?|research|progress|cases?) (?:in|of|on|with) (?:the [\w-]+ of )?",
    r"(?:who|(?:which|what) [\w-]+) (?:is|was|were|are) (?:responsible for|behind|involved in|in charge of) ",
)

# "have sex" is an activity, and "have to" a verb.
NOT_DONE = r"(?!(?:to|sex|fun|kids|children|an affair|someone|somebody|others|people|been|a party) )(?!(?:sex|fun)\b)"

NOUN = (
    # "the use of ovens in baking" is an activity
    rf"(?:{WILL_YOU} )?{SOFT}(?:explain|describe|detail|discuss|outline) {DETAILS}"
    r"(?=the (?:use|creation|production|manufacture|development) of [^?!.]* (?:in|for|as|to) )",
    rf"(?:{WILL_YOU} )?{SOFT}(?:show|give|send|find|draw|make|get) (?:(?:me|us) )?(?:an? |some )?{PICTURE} of ",
    rf"(?:(?:{WILL_YOU} )?{SOFT}(?:tell|give|show) (?:me|us) |what{IS} )the (?:\w+ )?(?:price|cost|value) of ",
    r"(?:have you got|you got|got|you have|you know) (?=any )",
    rf"{I_WANT_TO} {SOFT}(?:see|look at) ",
    rf"(?:{I_WANT_TO} {SOFT}{LEARN}|does (?:anyone|anybody|someone) (?:know|have)) (?=(?:[\w'-]+ ){{0,3}}?[\w-]+'s? )",
    r"(?:can|may|could) (?:i|we) (?:please )?(?:get|know) (?=your )",
    r"would you mind (?:sharing|(?:telling|giving|sending) me) (?=your )",
    rf"(?:do|did) {ONE} (?:own|possess) ",
    r"how much (?:is|are) (?!(?:[\w'-]+ ){1,4}?\w+ing (?:in|on|for|to|at)\b)",
    r"(?:what|which) (?:[\w'-]+ "
    r"){0,2}(?:country|city|state|website|site|store|shop|app|platform|marketplace|company|dealer|forum)(?:s|ies)? "
    r"(?:sells?|have|has|offers?|provides?|hosts?|ships?) ",
    r"(?:who|(?:what|which) (?:website|site|store|stores|shop|shops|company|companies|place|places)) "
    r"(?:sells|sell|makes|make|has|have|rents|rent) ",
    r"do (?:they|you|stores|shops|people) (?:sell|make) ",
    rf"where (?:{CAN} {ONE}|{ONE} {CAN}|to) {SOFT}{FIND} ",
    rf"(?:what|which){IS} ",
    rf"what exactly {any_of('is', 'are')} ",
    r"what (?:can|could|do) you (?:tell me|know) about ",
    r"do you know (?:anything|much|a lot|something) about ",
    r"do you (?:know|have) (?:of )?(?=any )",
    r"do you (?:happen to )?(?:know|have) (?=(?:(?:an?|some) )|(?:[\w'-]+ ){0,3}?[\w-]+'s? )",
    rf"(?:can|may|could) (?:i|we) {SOFT}(?:have|see) (?=(?:your|the|(?:[\w'-]+ ){{0,3}}?[\w-]+'s?) )",
    rf"(?:is|was|would) it (?:be )?(?:ever |really )?{JUDGED_TO} {FOR_ONE}to (?:own|have|possess) {NOT_DONE}",
    rf"(?:(?:why )?should(?:n't)? (?:i|we|they|people)|(?:why )?(?:do|don't|can't) (?:we|they|people)) {SOFT}"
    rf"(?:not |still )?have {NOT_DONE}",
    rf"(?:have|has) {ONE} (?:ever |already )?(?:had|owned|possessed|received) {NOT_DONE}",
    rf"(?:{WILL_YOU} )?{SOFT}{GIVE} (?:{SOMEONE} )?(?:with )?(?:an? list of )?(?!{STATE_OR_WAY}\b)",
    rf"(?:{WILL_YOU} )?{SOFT}(?:recommend|suggest|list|name|share|describe(?! (?:the|this|these|those) )) "
    rf"(?:{SOMEONE} )?(?:with )?{DETAILS}(?:an? list of )?",
    rf"(?:{HOW_GOOD},? )*(?:lists?|examples?) of ",
    rf"{THE_BEST}(?:recipes?|recommendations) for ",
    rf"what (?:{CAN} {ONE}|{ONE} {CAN}|to) {SOFT}(?:include|put|write|mention|highlight|cover|list|add) "
    r"(?:in|into|on) ",
    r"do you know (?:anyone|anybody|someone|somebody) (?:who|that) (?:sells|has|makes|deals|buys) ",
    rf"(?:what|which){IS} (?:{HOW_GOOD},? )*examples? of ",
    rf"{THE_BEST}(?:{EFFECTIVE} )?{COST} {any_of('of', 'for')} (?![^?!.]* on )",
    r"(?:are|is) there (?!still |anyone |anybody |anything |people |so )",
    r"what (?:counts as|qualifies as|constitutes) ",
    r"who (?:were|was|are|is) the (?:\w+ )?(?:victims?|winners?|founders?|members?|participants?|leaders?) (?:of|in) ",
    r"what happened to ",
    r"what (?:caused|started|triggered|led (?:up )?to|ended) ",
    rf"what (?:was|were) the (?:\w+ )?{AFTERMATH}(?: and {AFTERMATH})? (?:of|for|behind) ",
    r"(?:what|which) (?:kinds?|types?|sorts?) of \w+ (?:is|are|was|were) ",
    rf"(?:what{IS} |(?:{WILL_YOU} )?{SOFT}(?:explain|describe|give me|tell me|discuss|define|detail|outline) )"
    rf"(?:the |an? )?(?:\w+ )?(?:{ASPECTS}|meaning|scale|origins?|principles|explanation|overview) of ",
    rf"(?:{WILL_YOU} )?{SOFT}{MAKE} (?:{SOMEONE} )?(?:with )?{HOW_GOOD_WAYS} (?:on|about|regarding) ",
    rf"(?:{WILL_YOU} )?{SOFT}{MAKE} (?:{SOMEONE} )?(?:with )?{HOW_GOOD_WAYS} (?:of|for) "
    r"(?![^?!.]* (?:that|which|who|to) )",
    r"(?:is|are|could|can|might) (?:this|these|my|the) (?:[\w'-]+ ){1,4}(?:be )?(?:an? )?"
    r"(?:signs?|symptoms?|indications?) of ",
    rf"(?:{WILL_YOU} )?{SOFT}tell (?:me|us) (?=(?:my|your|the|(?:[\w'-]+ ){{0,2}}?[\w-]+'s) )",
    rf"(?:{WILL_YOU} )?{SOFT}(?:tell|teach) (?:me|us) (?=(?:an?|some|any|two|three|five) )",
    rf"(?:{WILL_YOU} )?{SOFT}define (?:the (?:term|word) )?",
    r"what(?: is|'s) meant by ",
    r"what do (?:people|you|they|we) mean by ",
    r"how many people (?:died|were killed|were hurt|were injured|survived|took part) (?:in|during|at) ",
    r"(?:what|which) [\w-]+ (?:was|were|is|are) used (?:in|during|at) (?!order )",
    r"(?:when|where) (?:is|was|were) (?=the |(?:[\w'-]+ ){0,3}?[\w-]+'s? )",
    r"gimme ",
    r"(?:what|which) (?:\w+ ){1,2}?(?:(?:go|goes) into|makes? up|(?:is|are) (?:used |found |needed )?in) ",
    r"(?:what|which) (?:are|were) the (?:\w+ )?(?:signs|symptoms) of ",
    rf"(?:{WILL_YOU} )?{SOFT}(?:direct|point|refer|link) (?:{SOMEONE}) (?:to|towards?) ",
)
NO_PRONOUN = rf"(?!{ONE} |it |that |there |this |these )"
WORKS = (
    r"how (?:much )?(?:do|does) (?=[^?!.]* (?:work|cost)s?\b)",
    r"what (?:do|does) (?=[^?!.]* (?:mean|refer to|stand for|involve|entail|(?:taste|feel) like)\b)",
    r"how (?:is|are) (?=[^?!.]* defined\b)",
    r"what (?:\w+ )?(?:impact|effect|effects|influence|role) did (?=[^?!.]* (?:have on|play in)\b)",
    r"(?:when|where|how|why) did (?=[^?!.]* (?:happen|occur|take place|start|begin|end|come about)[\s?!.]*$)",
    r"how long (?:do|does|did) (?=[^?!.]* lasts?\b)",
    rf"(?:did|do|does) {NO_PRONOUN}(?=[^?!.]* (?:happen|occur|take place|work)[\s?!.]*$)",
)


# The rest of these questions judges what they are about: "Why was the strike justified?".
PREDICATE = rf"(?=[^?!]* {JUDGED}(?:[\s?!.]*$|,? (?:or|and) )){NO_PRONOUN}"
JUDGEMENTS = (
    rf"why (?:is|was|are|were) {PREDICATE}",
    rf"(?:is|was|are|were) {PREDICATE}",
    rf"what makes {PREDICATE}",
    rf"what (?:dosage|dose|amount|quantity|level)s? of {PREDICATE}",
    rf"(?:do you (?:really )?(?:think|believe)|is it (?:really )?true) (?:that )?"
    rf"(?=[^?!]* (?:is|are|should be) ){PREDICATE}",
)
CAUSES = (rf"(?:does|do|can|could|will|would|might|may) {NO_PRONOUN}(?=[^?!]* {CAUSING}\b)(?!you )",)

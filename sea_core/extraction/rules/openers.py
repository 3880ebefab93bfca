"""The openers that the offline extractor knows: what an instruction says before its phrase.

An opener stays unchanged in the detoxified instruction. Its grammar is small: a greeting, up to two requests for
information, and the question itself, which determines the form of the phrase. The words are in `vocabulary.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from sea_core.extraction.rules.imperatives import match_imperative
from sea_core.extraction.rules.judgements import match_judgement, match_judgement_stated
from sea_core.extraction.rules.opener import BEGINNING, Form, Opener, without_role
from sea_core.extraction.rules.passives import match_passive, match_passive_demand
from sea_core.extraction.rules.subjects import match_demand_of_others, match_question_about_others
from sea_core.extraction.rules.vocabulary import (
    ABOUT,
    AFTERMATH,
    AGE,
    ASPECTS,
    CAN,
    CAUSING,
    CLAIM,
    COST,
    DETAILS,
    EFFECT,
    EFFECTIVE,
    FIND,
    FOR_ONE,
    GIVE,
    GREETING,
    GROUP,
    HOW_GOOD,
    I_HAVE,
    I_WANT_TO,
    IS,
    JOY,
    JUDGED,
    KIND_OF,
    LEARN,
    MAKE,
    MANNER,
    NEEDED,
    OKAY,
    ONE,
    OPINION,
    PICTURE,
    REASON,
    SIDE,
    SKILL,
    SOFT,
    SOMEONE,
    TELLING,
    THE_BEST,
    THE_USE,
    TOOLS,
    USE,
    USED,
    WANT,
    WAYS,
    WHICH_ONE,
    WILL_YOU,
    WRITTEN,
    any_of,
)

HOW_GOOD_WAYS = rf"(?:{HOW_GOOD},? )*{WAYS}"
# "Do you ...": after these verbs an opinion or a memory follows, and no activity.
NO_DEED = (
    r"(?!(?:agree|find|feel|remember|reali[sz]e|mind|care|mean|say|consider|worry|wonder|notice|recall|trust|"
    r"respect|get|"
    r"guys) ?)"
)
BASE = (
    rf"how {CAN} {ONE} {SOFT}(?:not )?",
    rf"(?:do|did) you (?:ever |usually |still |regularly |often |always |secretly )*{NO_DEED}",
    rf"when did {ONE} (?:last |first )",
    rf"(?:where|how|when) did {ONE} (?:first )?learn (?:how )?to ",
    r"(?:who|what|where|when|how) (?:first )?(?:taught|told|made|got|convinced|inspired|motivated|led|encouraged|"
    r"helped|drove|forced|caused) (?:you|me|us|them) (?:want )?(?:to )?(?=(?!into\b)\w)",
    rf"(?:are|were) {ONE} (?:ever |really |still )?(?:planning|going|trying|hoping|willing|ready|prepared|happy|"
    rf"tempted|"
    r"afraid|scared|looking|about) to ",
    r"am i (?:[\w-]+ ){1,4}?(?:if|when) i (?:\w+ly )?",
    r"what(?:'s| is) the (?:worst|best) (?:thing )?that (?:can|could|would|might|will) happen (?:to me )?(?:if|when) "
    rf"{ONE} ",
    rf"how (?:hard|fast|high|long|often|far|deep|early|late|quickly|many times) {CAN} {ONE} "
    rf"(?:(?:have|need) to )?{SOFT}",
    r"how (?:much|many) [\w-]+ (?:(?:is|are|would be) (?:needed|required|necessary)|does it take) to ",
    rf"(?:(?:{REASON} )?why )?(?:it is|it's|it was) (?:ever |really |always )?{OKAY} {FOR_ONE}(?:not )?to ",
    rf"(?:on )?how (?:and (?:where|when) )?(?:not )?to {SOFT}",
    rf"how {ONE} {CAN} {SOFT}",
    rf"{THE_BEST}{WAYS} {DETAILS}(?:on |for |about |regarding |of )?(?:how )?{FOR_ONE}to {SOFT}",
    rf"{THE_BEST}{WAYS} (?:that (?:are|is) )?{NEEDED} (?:to take |to do |to follow )?(?:in order )?to {SOFT}",
    rf"{THE_BEST}{WAYS} {DETAILS}(?:on |for |about |regarding |of |concerning )?how {ONE} {CAN} {SOFT}",
    rf"what {CAN} {ONE} {SOFT}(?:include|put|say|write|add|wear) "
    rf"(?:on|in|with|to|at) [\w' -]{{1,30}}? (?:in order )?to {SOFT}"
    r"(?![^?!]*\b(?:them|they|him|her|it)\b)",
    rf"{THE_BEST}{WAYS} to (?:take|follow|adopt|use|employ) (?:in order )?to {SOFT}",
    rf"{THE_BEST}{MANNER} (?:that |in which )?{ONE} {CAN} {SOFT}",
    rf"(?:is|would) (?:it|that|this) (?:be )?(?:ever |so |too |really |considered )?{OKAY} "
    rf"(?:{FOR_ONE}to|if {ONE}|that {ONE}) {SOFT}",
    rf"(?:if |whether )?(?:should|can(?! you| u| ya)|could(?! you| u| ya)|may|must) {ONE} (?:be (?:allowed|able) to "
    rf")?{SOFT}",
    rf"(?:am|is|are) {ONE} (?:{SOFT})(?:allowed|permitted|able|supposed) to {SOFT}",
    rf"why (?:can|can't|should|shouldn't|do|don't|would|won't) (?:i|we|they|people|some people) {SOFT}(?:not |"
    rf"never )?",
    rf"(?:who|whom) {CAN} {ONE} (?:need to )?(?:talk to|call|contact|ask|hire|see|pay) (?:if {ONE} (?:want|need) )?to "
    rf"{SOFT}",
    rf"(?:what|which) {THE_BEST}{TOOLS} (?:{CAN} {ONE}|{ONE} {CAN}) {SOFT}"
    rf"(?:use |need |get |have |buy |take |follow |employ |apply |say |make )?(?:in order )?to {SOFT}",
    rf"(?:what|which) (?:[\w'-]+ ){{1,5}}?(?:{CAN} {ONE}|{ONE} {CAN}) {SOFT}{USE} "
    rf"(?:(?:on|in|with) [\w' -]{{1,30}}? )?(?:in order )?to {SOFT}",
    rf"(?:what|which) (?:kinds? of |sorts? of )?{THE_BEST}{TOOLS} (?:{CAN} be|is|are|would be) {NEEDED} "
    rf"(?:to take |to do |to follow )?(?:in order )?to {SOFT}",
    rf"(?:what|which) (?:kinds? of |sorts? of )?{THE_BEST}{TOOLS} {CAN} (?=(?!be ))",
    rf"(?:what|which) {THE_BEST}{TOOLS} (?:is|are) (?:best |needed |required |good )?(?:in order )?to {SOFT}",
    rf"(?:what|how|which|where) [^?!.,]{{3,60}}? if {ONE} (?:{WANT}|wants|needs) to {SOFT}",
    rf"(?:(?:lists? of )?{THE_BEST}{TOOLS} )(?:{NEEDED} )?to {SOFT}",
    rf"what does it (?:really )?mean to {SOFT}",
    rf"what is (?:the )?{NEEDED} (?:in order )?to {SOFT}",
    rf"(?:what|which) {THE_BEST}{TOOLS} {CAN} {ONE} need to (?:take|follow|do|use|know) (?:in order )?to {SOFT}",
    rf"why (?:is|was) (?:it|that) (?:so |considered |not )?{OKAY} (?:for {ONE} )?to {SOFT}",
    rf"(?:if|whether) {ONE} {CAN} {SOFT}",
    rf"(?:where|when) (?:{CAN} {ONE}|{ONE} {CAN}|to) {SOFT}",
    rf"what (?:{CAN} {ONE}|{ONE} {CAN}) {SOFT}"
    rf"(?:have to do|need to do|need to know|do|use|need|say|take) (?:in order )?to {SOFT}",
    rf"what (?:happens|would happen|will happen|could happen) (?:to me )?(?:if|when) {ONE} {SOFT}",
    rf"how (?:long|much|hard|easy|difficult|dangerous|risky) (?:does it (?:take|cost)|is it|would it (?:be|take|cost)) "
    rf"{FOR_ONE}to {SOFT}",
    rf"{I_WANT_TO} {SOFT}(?:{LEARN} how to )?",
    rf"(?:{WILL_YOU} )?{SOFT}(?:help|assist|teach|show|train|instruct|guide) (?:{SOMEONE}) (?:on |in |with )?(?:how "
    rf"to |to )?",
    rf"(?:{WILL_YOU} )?{SOFT}help (?:to )?",
    rf"(?:what|which) (?:[\w'-]+ ){{1,4}}?(?:{CAN} be|is|are|would be) {USED} (?:(?:on|in|at) [\w' -]{{1,30}}? )?"
    rf"(?:in order )?to {SOFT}",
    rf"do you think (?:that )?(?:i|we) {CAN} {SOFT}",
    rf"(?:hypothetically,? )?if (?:i|you|we|someone) (?:wanted|want|were|needed|decided) to {SOFT}",
    rf"(?:let's|lets|let us) {SOFT}",
    rf"would {ONE} (?:ever |really )*rather {SOFT}",
    rf"(?:which|what) would {ONE} rather (?:do)?(?: ?[-:,])? ?{SOFT}",
    r"what(?: is|'s| was) it (?:really |actually )?like to ",
    r"(?:what does it feel like|how (?:does|did|would) it feel) to ",
    rf"(?:do|does|did) {ONE} {SOFT}(?:want|plan|hope|like|love|intend|prefer|dare|need|have|tend|try) (?:me |us )?to ",
    rf"{REASON} (?:(?:not )?to|{FOR_ONE}to|(?:why |that )?{ONE} (?:{CAN}|shouldn't|don't|won't)) {SOFT}(?:not |"
    rf"never )?",
    rf"(?:in|on|at|from|with|to|by) {WHICH_ONE} {CAN} {ONE} {SOFT}",
    rf"{AGE} (?:{CAN} {ONE}|{ONE} {CAN}) {SOFT}",
    rf"(?:which|what) (?:[\w-]+ ){{1,3}}(?:allow|let|permit|help|encourage|force)s? {SOMEONE} (?:to )?{SOFT}",
    r"my (?:[\w-]+ ){1,2}(?:wants?|needs?|plans?|would like|is (?:trying|planning|going)) to ",
    rf"(?:{WILL_YOU} )?{SOFT}(?:convince|persuade|encourage|motivate|force|get|dare) (?:me|us) to ",
    r"(?:what (?:would|could|will) happen|what) if (?:i|you|we|someone|somebody|people|they) ",
)
# "What kind of tool can I open a shed with?"
STRANDED = (
    rf"{WHICH_ONE} {CAN} {ONE} {SOFT}",
    r"(?:what is|what's) your (?:favou?rite|preferred) [\w-]+ to ",
    rf"(?:what is|what's) {THE_BEST}(?:thing|tool|place) to ",
)
# "If I steal a lamp, what will happen?"
CONDITIONS = (
    rf"if (?:i|you|we|someone|somebody|a person) (?:(?:{CAN}|decide to|want to|try to|were to|happen to) )?",
    rf"(?:imagine|suppose|say|(?:what )?if) (?:that )?{ONE} (?:had|have|were given|got|are given|get) (?:the|an|a) "
    r"(?:\w+ )?(?:opportunity|chance|option|ability|choice|power) to ",
)

ASKED = (rf"{WILL_YOU} {SOFT}",)

PAST = (rf"(?:how (?:many times|often) )?(?:have|has) {ONE} (?:ever |already |just |also )*(?:[a-z]+ly )?",)

SIMPLE = (
    rf"(?:who|(?:which|what) (?:[\w-]+ ){{0,2}}(?:{GROUP}|[a-z]+(?:ists?|ians?))) (?!(?:{CAN}|is|are|was|were|"
    rf"has|have|had) )"
    r"(?:really |actually |first )?",
)

WOULD_HAVE = (
    r"what (?:(?:would|could) (?:have )?happen(?:ed)? (?:to me )?)?if (?:i|you|we|someone|somebody|people|they) ",
    rf"would (?:it|that) be {OKAY} if {ONE} ",
)

EFFECTS = (rf"(?:does|do|can|could|will|would|might) (?=[a-z]+ing [^?!.]* {EFFECT}\b)",)

ING = (
    rf"how did {ONE} (?:first )?(?:start|begin|stop|quit|get into) ",
    rf"(?:have|has) {ONE} (?:ever |also )?been (?:(?:caught|arrested|punished|accused|fired|fined|guilty)"
    r"(?: (?:for|while|of|when))? )?"
    r"(?=\w+ing\b)",
    r"(?:are|were) (?:you|we|they) (?:ever |still |currently |always |really )?(?!(?:planning|going|trying|hoping|"
    r"willing|looking|thinking|feeling|being|having|asking|saying) )(?=\w+ing \w)",
    rf"(?:should|do|did|would|have) {ONE} (?:ever |usually )?(?:feel|felt|get|been|be|become) "
    r"(?:[\w-]+(?:,? (?:or|and) | )){1,4}?(?:while|when|about|for|after|by|from|of) (?=\w+ing \w)",
    r"am i (?:[\w-]+ ){1,4}?(?:for|in|when) (?=\w+ing \w)",
    rf"(?:would|will|can|could|do|should) {ONE} (?:\w+ly )?(?:go to|get|be|lose|end up in|face|serve) (?:my |a |"
    rf"some )?"
    r"(?:jail|prison|arrested|in trouble|into trouble|fired|sued|fined|caught|punished|expelled|charged|job|time) "
    r"for (?=\w+ing \w)",
    rf"how (?:much|many|long) [\w -]{{0,25}}?(?:{CAN} {ONE}|{ONE} {CAN}) (?:get|face|serve|pay) for "
    r"(?=\w+ing \w)",
    r"what(?:'s| is| was) it like (?=\w+ing\b)",
    r"do (?:you|people) (?:really )?(?:enjoy|like|prefer|recommend|support|fantasize about|regret) ",
    r"(?:is|would) it (?:be )?(?:ever |really )?worth ",
    r"what is (?=[a-z]+ing(?: (?:an?|the|someone|somebody|people|my|your)\b.*)?[\s?.!]*$)",
    rf"{THE_BEST}(?:trick|key|secret|purpose|point|idea) {any_of('to', 'of', 'behind', 'in')} ",
    rf"{THE_BEST}(?:{EFFECTIVE} )?{COST} {any_of('of', 'for', 'in', 'to', 'with')} ",
    rf"(?:{WILL_YOU} )?{SOFT}(?:walk|guide|talk|take|lead) (?:{SOMEONE} )?(?:through|on|in) (?:the (?:\w+ )?{ASPECTS} "
    rf"(?:of|for|in|to) )?",
    rf"how {CAN} {ONE} {SOFT}go(?:ing)? about {SOFT}",
    rf"{THE_BEST}{WAYS} {DETAILS}(?:{NEEDED} )?(?:{ABOUT}|to|behind|regarding|concerning|towards?|when) (?:the "
    rf"(?:process|act|art) of )?",
    rf"(?:what|which) (?:(?:kinds?|sorts?|types?) of )?(?:[\w'-]+ ){{1,4}}?(?:{CAN} be|is|are|would be) {NEEDED} "
    rf"(?:for|in|when|by) ",
    rf"where (?:{CAN} {ONE}|{ONE} {CAN}|to) {SOFT}{FIND} {HOW_GOOD_WAYS} (?:on|about|regarding|for) ",
    rf"{THE_BEST}{TOOLS} (?:{NEEDED} )?for ",
    rf"{THE_BEST}{WAYS} {FOR_ONE}(?:to|{ONE} {CAN}) {SOFT}go about {SOFT}",
    rf"(?:i|we) {WANT} (?:some |any |your )?(?:help|advice|tips|ideas|information|info|guidance|assistance) "
    rf"(?:{ABOUT} )?",
    rf"(?:{WILL_YOU} )?{SOFT}(?:help|assist) (?:{SOMEONE} )?(?:out )?(?:{ABOUT} )?",
    rf"(?:{WILL_YOU} )?{SOFT}(?:instruct|guide|advise|educate|inform|teach|train) (?:{SOMEONE} )?(?:{ABOUT}|through) ",
    rf"(?:{WILL_YOU} )?{SOFT}{MAKE} (?:{SOMEONE} )?(?:an? )?(?:{KIND_OF} )*{WRITTEN} {TELLING} ",
    r"(?:i'm|i am|i was|i've been|i have been) (?:thinking of|thinking about|considering|interested in|planning on) ",
    rf"(?:have|has) {ONE} ever (?:considered|thought about|thought of|tried|imagined|fantasized about|fantasised "
    rf"about) ",
    rf"{AGE} (?:{CAN} {ONE}|{ONE} {CAN}) (?:legally )?(?:start|begin|stop) ",
    rf"how (?:much|many) [\w-]+ (?:{CAN} {ONE}|{ONE} {CAN}) (?:[\w-]+ ){{1,2}}(?:when|while|for|before|after|by) ",
    r"what(?: is|'s| was) the (?:most )?[\w-]+ (?:thing|experience|story|moment) (?:that )?you(?:'ve| have)? (?:ever )?"
    r"(?:[a-z]+) (?:while|when) ",
    r"(?:which|what)(?: is|'s) (?:more|less|the most|worse|better|\w+er) ?[\w-]*[:,-]? ",
    rf"(?:what|can you imagine|describe|tell me|how much)\b[^?!.]{{0,60}} {JOY} (?:that )?{ONE} (?:{CAN} )?{SOFT}"
    r"(?:get|gain|derive|have|feel)s? (?:from|out of|by|when|in|while) ",
    rf"what do {ONE} (?:like|enjoy|love|hate) (?:most |best |the most )?(?:about|when) ",
    rf"how do {ONE} {SOFT}feel (?:when|while) ",
)

# What speaks of a thing or of an activity as a topic.
TOPICS = (
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
    r"(?:has|have) there (?:ever )?been (?:any )?(?:[\w-]+ )?"
    r"(?:breakthroughs?|advances?|research|progress|cases?) (?:in|of|on|with) (?:the [\w-]+ of )?",
    r"(?:who|(?:which|what) [\w-]+) (?:is|was|were|are) (?:responsible for|behind|involved in|in charge of) ",
)

# "have sex" is an activity, and "have to" a verb.
NOT_DONE = r"(?!(?:to|sex|fun|kids|children|an affair|someone|somebody|others|people|been|a party) )(?!(?:sex|fun)\b)"

NOUN = (
    rf"(?:{WILL_YOU} )?{SOFT}(?:show|give|send|find|draw|make|get) (?:(?:me|us) )?(?:an? |some )?{PICTURE} of ",
    rf"(?:(?:{WILL_YOU} )?{SOFT}(?:tell|give|show) (?:me|us) |what{IS} )the (?:price|cost) of ",
    r"how much (?:is|are) ",
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
    r"do you (?:know|have) (?=(?:(?:an?|some) )|(?:[\w'-]+ ){0,3}?[\w-]+'s? )",
    rf"(?:can|may|could) (?:i|we) {SOFT}(?:have|see) (?=(?:your|the|(?:[\w'-]+ ){{0,3}}?[\w-]+'s?) )",
    rf"(?:is|was|would) it (?:be )?(?:ever |really )?{OKAY} {FOR_ONE}to (?:own|have|possess) {NOT_DONE}",
    rf"(?:(?:why )?should(?:n't)? (?:i|we|they|people)|(?:why )?(?:do|don't|can't) (?:we|they|people)) {SOFT}"
    rf"(?:not |still )?have {NOT_DONE}",
    rf"(?:have|has) {ONE} (?:ever |already )?(?:had|owned|possessed|received) {NOT_DONE}",
    rf"(?:{WILL_YOU} )?{SOFT}{GIVE} (?:{SOMEONE} )?(?:with )?(?:an? list of )?",
    rf"(?:{WILL_YOU} )?{SOFT}(?:recommend|suggest|list|name|share|describe(?! (?:the|this|these|those) )) "
    rf"(?:{SOMEONE} )?(?:with )?{DETAILS}(?:an? list of )?",
    rf"(?:{HOW_GOOD},? )*(?:lists?|examples?) of ",
    rf"(?:what|which){IS} (?:{HOW_GOOD},? )*examples? of ",
    rf"{THE_BEST}(?:{EFFECTIVE} )?{COST} {any_of('of', 'for')} (?![^?!.]* on )",
    r"(?:are|is) there (?!still |anyone |anybody |anything |people |so )",
    r"what (?:counts as|qualifies as|constitutes) ",
    r"who (?:were|was|are|is) the (?:\w+ )?(?:victims?|winners?|founders?|members?|participants?|leaders?) (?:of|in) ",
    r"what happened (?:to|during|in|at|on) ",
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
    rf"(?:{WILL_YOU} )?{SOFT}tell (?:me|us) (?=(?:my|your|the|[\w-]+'s) )",
    rf"(?:{WILL_YOU} )?{SOFT}(?:tell|teach) (?:me|us) (?=(?:an?|some|any|two|three|five) )",
    rf"(?:{WILL_YOU} )?{SOFT}define (?:the (?:term|word) )?",
    r"what(?: is|'s) meant by ",
    r"what do (?:people|you|they|we) mean by ",
    r"how many people (?:died|were killed|were hurt|were injured|survived|took part) (?:in|during|at) ",
    r"(?:what|which) [\w-]+ (?:was|were|is|are) used (?:in|during|at) (?!order )",
    r"how (?:dangerous|common|effective|safe|harmful|addictive|reliable|accurate|expensive|bad|potent|toxic|popular) "
    r"(?:is|are|was|were) ",
    r"(?:when|where) (?:is|was|were) (?=the |(?:[\w'-]+ ){0,3}?[\w-]+'s? )",
    r"gimme ",
    r"(?:what|which) (?:are|were) the (?:\w+ )?(?:signs|symptoms) of ",
)
NO_PRONOUN = rf"(?!{ONE} |it |that |there |this |these )"
WORKS = (
    r"how (?:much )?(?:do|does) (?=[^?!.]* (?:work|cost)s?\b)",
    r"what (?:do|does) (?=[^?!.]* (?:mean|refer to|stand for|involve|entail)\b)",
    r"how (?:is|are) (?=[^?!.]* defined\b)",
    r"what (?:\w+ )?(?:impact|effect|effects|influence|role) did (?=[^?!.]* (?:have on|play in)\b)",
    r"(?:when|where|how|why) did (?=[^?!.]* (?:happen|occur|take place|start|begin|end|come about)[\s?!.]*$)",
    r"how long (?:do|does|did) (?=[^?!.]* lasts?\b)",
    rf"(?:did|do|does) {NO_PRONOUN}(?=[^?!.]* (?:happen|occur|take place|work)[\s?!.]*$)",
)


HAD = (rf"{I_HAVE} (?!to |any |(?:[\w'-]+ ){{0,2}}{CLAIM}\b)",)
# The rest of these questions judges what they are about: "Why was the strike justified?".
PREDICATE = rf"(?=[^?!]* {JUDGED}(?:[\s?!.]*$|,? (?:or|and) )){NO_PRONOUN}"
JUDGEMENTS = (
    rf"why (?:is|was|are|were) {PREDICATE}",
    rf"(?:is|was|are|were) {PREDICATE}",
    rf"what makes {PREDICATE}",
    rf"(?:do you (?:really )?(?:think|believe)|is it (?:really )?true) (?:that )?"
    rf"(?=[^?!]* (?:is|are|should be) ){PREDICATE}",
)
CAUSES = (rf"(?:does|do|can|could|will|would|might|may) {NO_PRONOUN}(?=[^?!]* {CAUSING}\b)(?!you )",)


# Where nothing else is known, the activity may be the condition of a question: "Does it hurt a lamp if I drop it?".
UNDER_CONDITION = re.compile(
    rf"{BEGINNING}(?:what|which|how|will|would|does|do|can|could|is|are) [^?!.,]{{3,60}}? (?:if|when) (?:i|you|"
    rf"we|someone) "
    r"(?!(?:am|are|is|was|were|have|had) )(?!.*\b(?:it|its|they|them|their|he|him|his|she|her)\b)",
    re.IGNORECASE,
)
# Sentences that ask nothing are requests where no other sentence of the instruction is one.
SHOULD = (
    r"(?:i (?:really )?(?:think|believe|say|feel) (?:that )?)?(?:we|people|you|everyone|everybody|one) "
    r"(?:all |really |just )*(?:should|must|ought to|need to|have to) (?:all |just |really |simply )*"
)
STATEMENTS: tuple[tuple[Form, str], ...] = (
    ("base", SHOULD),
    (
        "noun",
        r"(?:i (?:really |just )?(?:want|need|crave|would (?:really )?(?:like|love))|i'd (?:really )?(?:like|love)) "
        r"(?!to |you )",
    ),
    ("noun", r"(?:(?:i'm|i am) )?(?:looking|searching) for "),
    ("topic", r"(?=(?:the )?(?:(?:most|least) [\w-]+|best|\w+est) [^?!.]*[?!.]?$)"),
)


def match_statement(text: str) -> tuple[Opener, ...]:
    """Return the openers of a sentence that asks nothing: "We should ...", "I want ...", "The best lamps for ..."."""
    found = ((form, re.match(GREETING + pattern, text, re.IGNORECASE)) for form, pattern in STATEMENTS)
    openers = [Opener(match.end(), (form,), without_role(match[0])) for form, match in found if match]
    others = match_passive_demand(text) or match_judgement_stated(text) or match_demand_of_others(text)
    return (*openers, *filter(None, (others,)))


QUESTIONS: tuple[tuple[Form, tuple[str, ...]], ...] = (
    ("ing", ING),
    ("stranded", STRANDED),
    ("base", BASE),
    ("asked", ASKED),
    ("noun", NOUN),
    ("topic", TOPICS),
    ("works", WORKS),
    ("judged", JUDGEMENTS),
    ("had", HAD),
    ("past", PAST),
    ("simple", SIMPLE),
    ("simple", WOULD_HAVE),
    ("effect", EFFECTS),
    ("causes", CAUSES),
    ("condition", CONDITIONS),
)


@cache
def _compile(*questions: str) -> re.Pattern[str]:
    """Compile the pattern of a sentence that begins with one of the questions."""
    return re.compile(f"{BEGINNING}(?:{'|'.join(questions)})", re.IGNORECASE)


def _match(text: str, questions: Sequence[str]) -> Iterator[re.Match[str]]:
    """Yield a match of each question that the text begins with.

    A pattern takes milliseconds to compile, and there are two hundred: those of half of the questions are only compiled
    when a text begins with one of these.
    """
    match = _compile(*questions).match(text)
    if match and len(questions) == 1:
        yield match
    elif match:
        half = len(questions) // 2
        yield from _match(text, questions[:half])
        yield from _match(text, questions[half:])


def match_openers(text: str) -> tuple[Opener, ...]:
    """Return the openers that a sentence may have, the longest first.

    "I want to learn how to" also begins with "I want to". Where none is known, the sentence may still be a question
    about others ("How do thieves ...") or an imperative.
    """
    ends: dict[int, list[Form]] = {}
    for form, questions in QUESTIONS:
        for match in _match(text, questions):
            if form not in ends.setdefault(match.end(), []):
                ends[match.end()].append(form)
    openers = [Opener(end, tuple(forms), without_role(text[:end])) for end, forms in ends.items()]
    others = match_question_about_others(text)
    is_judged = any("judged" in opener.forms for opener in openers)
    is_done = not others or (text.startswith("be ", others.end) and not re.search(r"\bwhy\b", others.head, re.I))
    if is_done and (passive := match_passive(text, is_asked_bare=not is_judged)):
        openers.insert(0, passive)
    elif not any("works" in opener.forms for opener in openers):
        openers += filter(None, (others, match_imperative(text)))
    if not any("judged" in opener.forms for opener in openers) and (judgement := match_judgement(text)):
        openers.append(judgement)
    if not openers and (condition := UNDER_CONDITION.match(text)):
        openers.append(Opener(condition.end(), ("base", "simple"), without_role(condition[0])))
    return tuple(sorted(openers, key=lambda opener: opener.end, reverse=True))

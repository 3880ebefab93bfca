"""Questions and requests about an activity: patterns of what stands before a verb phrase or its -ing form."""

from __future__ import annotations

from sea_core.extraction.rules.vocabulary import (
    ABOUT,
    AGE,
    ASPECTS,
    CAN,
    COST,
    DETAILS,
    EFFECT,
    EFFECTIVE,
    EXACTLY,
    FIND,
    FOR_ONE,
    GROUP,
    HOW_GOOD,
    HOW_GOOD_WAYS,
    I_WANT_TO,
    IF_YOU,
    JOY,
    JUDGED_TO,
    KIND_OF,
    LEARN,
    MAKE,
    MANNER,
    NEEDED,
    OKAY,
    ONE,
    PLACE,
    REASON,
    SOFT,
    SOMEONE,
    TELLING,
    THE_BEST,
    TOOLS,
    USE,
    USED,
    WANT,
    WAYS,
    WHICH_ONE,
    WILL_YOU,
    WRITTEN,
    any_in,
    any_of,
)

PUPILS = any_in("a child, children, kids, students, criminals, teenagers, teens")
"""Whoever learns it belongs to the activity: "train a child to hide lamps"."""
# "Do you ...": after these verbs an opinion or a memory follows, and no activity.
NO_DEED = (
    r"(?!(?:agree|know|think|believe|suppose|find|feel|remember|reali[sz]e|mind|care|mean|say|consider|worry|wonder|notice|recall|"
    r"trust|respect|get|guys) ?)"
)
BASE = (
    rf"how{EXACTLY} {CAN} {ONE} {SOFT}(?:not )?",
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
    rf"how (?:much|many) (?:[\w'-]+ ){{1,4}}?(?:(?:is|are|would be) {NEEDED}|(?:does|would|will|did) it take|"
    rf"(?:{CAN} {ONE}|"
    rf"{ONE} {CAN}) (?:(?:need|have) to )?(?:take|use|eat|drink|mix|buy)) (?:in order )?to ",
    rf"how much [\w'-]+ (?:{CAN} {ONE}|{ONE} {CAN}) (?:need|require) (?:in order )?to ",
    rf"(?:(?:have|has) {ONE} (?:ever )?wondered )?(?:what it(?:'s| is| was| would be) (?:really )?like|how it "
    rf"feels) to ",
    rf"(?:have|has) {ONE} ever (?:had|wanted|needed|hoped|planned|felt (?:tempted|pressured|an urge|the urge|the "
    rf"need)|been (?:tempted|asked|paid|forced)) to ",
    r"(?:who|what|is there (?:anyone|someone|anything) (?:who|that)) (?:can|could) help (?:me|us|someone) (?:to )?",
    rf"do {ONE} need (?:an? |any )?(?:licen[sc]e|permit|permission|prescription|degree|training) to ",
    r"who (?:else )?(?:would|could|will|can|should) (?:even |ever |really )?(?!(?:you|i|we|be|win|help|have) )",
    r"(?:do|would) you (?:really )?(?:like|love|hate|enjoy|mind|prefer) it (?:when|if) (?:i|you|we|people|someone|"
    r"they) ",
    r"what (?:does|did|would|will) it take to ",
    r"why not (?:just |simply )?(?!(?:a|an|the|to) )",
    rf"{THE_BEST}(?:{EFFECTIVE} )?{COST} (?:be )?if {ONE} (?:{CAN} |were to |try to |decide to )?",
    rf"(?:(?:{REASON} )?why )?(?:it is|it's|it was|it would be|it'd be) (?:ever |really |always )?{JUDGED_TO} {FOR_ONE}"
    r"(?:not )?to ",
    rf"(?:on )?how (?:and (?:where|when) )?(?:not )?to {SOFT}",
    rf"how {ONE} {CAN} {SOFT}",
    rf"{THE_BEST}{WAYS} {DETAILS}(?:on |for |about |regarding |of )?(?:how )?{FOR_ONE}to {SOFT}",
    rf"{THE_BEST}{WAYS} (?:that (?:are|is) )?{NEEDED} (?:to take |to do |to follow )?(?:in order )?to {SOFT}",
    rf"{THE_BEST}{WAYS} {DETAILS}(?:on |for |about |regarding |of |concerning )?how {ONE} {CAN} {SOFT}",
    rf"what {CAN} {ONE} {SOFT}(?:include|put|say|write|add|wear) "
    rf"(?:on|in|with|to|at) [\w' -]{{1,30}}? (?:in order )?to {SOFT}"
    r"(?![^?!]*\b(?:them|they|him|her|it)\b)",
    rf"{THE_BEST}(?:[\w-]+ ){{0,2}}?(?:{WAYS}|{TOOLS}) (?:used|employed|taken) by (?:[\w'-]+ ){{1,3}}?"
    rf"(?:in order )?to {SOFT}",
    rf"{THE_BEST}{WAYS} to (?:take|follow|adopt|use|employ) (?:in order )?to {SOFT}",
    rf"{THE_BEST}{MANNER} (?:that |in which |where )?{ONE} {CAN} {SOFT}",
    rf"{THE_BEST}{PLACE} (?:in|on|at|near|around|within|under) [\w' -]{{1,30}}? to {SOFT}",
    rf"(?:when |where )?(?:is|was|would) (?:it|that|this) (?:be )?(?:ever |so |too |really |considered )?{JUDGED_TO} "
    rf"(?:{FOR_ONE}to|if {ONE}|that {ONE}) {SOFT}",
    rf"(?:if |whether )?(?:should|can(?! you| u| ya)|could(?! you| u| ya)|may|must) {ONE} (?:be (?:allowed|able) to "
    rf")?{SOFT}",
    rf"(?:am|is|are) {ONE} (?:{SOFT})(?:allowed|permitted|able|supposed) to {SOFT}",
    rf"why (?:can|can't|should|shouldn't|do|don't|would|won't) (?:i|we|you|they|(?:some |many |so many )?people) "
    rf"{SOFT}(?:not |"
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
    rf"(?:(?:lists? of )?{THE_BEST}{TOOLS} )(?<!thing )(?<!things )(?<!stuff )(?:{NEEDED} )?to {SOFT}",
    rf"what does it (?:really )?mean to {SOFT}",
    rf"what is (?:the )?{NEEDED} (?:in order )?to {SOFT}",
    rf"(?:what|which) {THE_BEST}{TOOLS} {CAN} {ONE} need to (?:take|follow|do|use|know) (?:in order )?to {SOFT}",
    rf"why (?:is|was) (?:it|that) (?:so |considered |not )?{JUDGED_TO} (?:for {ONE} )?to {SOFT}",
    rf"(?:{REASON} )?why {ONE} (?:{CAN}|need to|have to|ought to) {SOFT}(?:not |never )?",
    rf"(?:whom?|what|where|which [\w-]+)(?: [\w-]+)? to (?:contact|ask|call|see|visit|pay|hire|use|do|take|say|"
    rf"wear|bring|go) (?:in order )?to {SOFT}",
    rf"(?:if|whether) {ONE} {CAN} {SOFT}",
    rf"(?:where|when)(?: else| (?:in|on|at|near)(?: [\w'-]+){{1,3}}?)? (?:{CAN} {ONE}|{ONE} {CAN}|to) {SOFT}",
    rf"how old (?:{CAN} {ONE}|{ONE} {CAN}) (?:have|need) to be (?:in order )?to ",
    rf"(?:i(?:'m| am| was)? (?:just )?wondering )?{IF_YOU} {SOFT}(?:help|assist|teach|show) {SOMEONE} "
    r"(?:how )?(?:to )?",
    rf"what (?:{CAN} {ONE}|{ONE} {CAN}) {SOFT}"
    rf"(?:have to do|need to do|need to know|do|use|need|say|take|wear|bring|buy|eat|drink|know) (?:in order )?to "
    rf"{SOFT}",
    rf"what (?:happens|would happen|will happen|could happen) (?:to me )?(?:if|when) {ONE} {SOFT}",
    rf"how [\w-]+ (?:(?:does|did|will|would|could|might) it (?:be|take|cost)|is it|was it) "
    rf"{FOR_ONE}to {SOFT}",
    rf"{I_WANT_TO} {SOFT}(?:{LEARN} how to )?",
    rf"(?:{WILL_YOU} )?{SOFT}(?:help|assist|teach|show|train|instruct|guide) (?!{PUPILS} )(?:{SOMEONE}) "
    rf"(?:on |in |with )?(?:how to |to )?",
    rf"(?:{WILL_YOU} )?{SOFT}help (?:to )?",
    r"(?:i|we) (?:need|want|would like|would love) (?:you|someone|somebody) to ",
    rf"(?:what|which) (?:[\w'-]+ ){{1,4}}?(?:{CAN} be|is|are|would be) {USED} (?:(?:on|in|at) [\w' -]{{1,30}}? )?"
    rf"(?:in order )?to {SOFT}",
    rf"(?:do you (?:think|believe)|is it (?:really |actually )?true) (?:that )?(?:i|you|we|one|someone|people) "
    rf"(?:only |all )?(?:{CAN} )?{SOFT}",
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
    rf"(?:if|(?:let's )?say|suppose|imagine) (?:that )?(?:i|you|we|someone|somebody|a person) "
    rf"(?:(?:{CAN}|(?:decide|want|try|need|happen)(?:d|ed)? to|tried to|had to|were (?:going )?to) )?",
    rf"(?:imagine|suppose|(?:let's )?say|(?:what )?if) (?:that )?{ONE} "
    r"(?:had|have|were given|got|are given|get|found|find|discovered|knew) (?:the|an|a) "
    r"(?:\w+ )?(?:opportunity|chance|option|ability|choice|power|way|method|loophole) to ",
    r"(?:imagine|suppose|(?:let's )?say|(?:what )?if) (?:that )?(?:(?:your|my|an?|the)(?: [\w-]+){1,2}|someone|"
    r"somebody) "
    r"(?:ask|tell|force|order|want|offer|beg|dare)(?:ed|s)? (?:you|me) (?:money )?to ",
    r"(?:imagine|suppose|(?:let's )?say|(?:what )?if) (?:that )?(?:(?:your|my|an?|the)(?: [\w-]+){1,2}|someone|"
    r"somebody) (?:told|paid|pays) (?:you|me) (?:money )?to ",
    r"if (?:you|i|we) (?:saw|see|caught|catch|found|find|noticed?|discovered) "
    r"(?:someone|somebody|people|(?:your|my|an?|the)(?: [\w-]+){1,2}) (?=\w+ing \w)",
)

ASKED = (rf"{WILL_YOU} {SOFT}",)

PAST = (
    rf"(?:how (?:many times|often) )?(?:have|has) {ONE} (?:ever |already |just |also )*(?:[a-z]+ly )?",
    r"ever (?=\w+(?:ed|en|own|ung|uck|ost|old|one|ade|ought|aught) )",
)

SIMPLE = (
    rf"(?:who|(?:which|what) (?:[\w-]+ ){{0,2}}(?:{GROUP}|[a-z]+(?:ists?|ians?))) (?!(?:{CAN}|is|are|was|were|"
    rf"has|have|had) )"
    r"(?:really |actually |first )?",
)

WOULD_HAVE = (
    r"what (?:(?:would|could) (?:have )?happen(?:ed)? (?:to me )?)?if (?:i|you|we|someone|somebody|people|they) ",
    rf"would (?:it|that) be {OKAY} if {ONE} ",
    rf"how would {ONE} (?:feel|react|respond) if {ONE} ",
    rf"{THE_BEST}(?:{EFFECTIVE} )?{COST} (?:be )?if {ONE} ",
    rf"(?:when|where|what)(?:'s| is| was) the (?:first|last) time (?:that )?{ONE} (?:ever )?",
)

EFFECTS = (rf"(?:does|do|can|could|will|would|might) (?=[a-z]+ing [^?!.]* {EFFECT}\b)",)

# The activity may also be a noun: "methods of theft".
# Of what no noun for an activity follows, nothing could be extracted: "What happened during the riot?".
EVENTS = (r"what (?:really )?happened (?:during|in|at|on) ",)
ING = (
    rf"(?:{HOW_GOOD},? |real |documented )*(?:cases|instances|stories) (?:of|about) (?=\w+ing\b)",
    rf"{THE_BEST}(?:{EFFECTIVE} )?{COST} (?:(?:that are )?(?:involved|associated|connected|linked) )?"
    rf"{any_of('of', 'for', 'in', 'to', 'with', 'when', 'while')} ",
    rf"how (?:much|often|long|many times) {CAN} {ONE} be (?=\w+ing \w)",
    rf"{THE_BEST}{WAYS} {DETAILS}(?:{NEEDED} )?(?:{ABOUT}|to|behind|regarding|concerning|towards?|when) (?:the "
    rf"(?:process|act|art) of )?",
    rf"{THE_BEST}{TOOLS} (?:{NEEDED} )?for ",
    rf"{THE_BEST}{WAYS} {DETAILS}(?:to (?:take into account|keep in mind|consider|remember) )when ",
    r"can you imagine (?=\w+ing\b)",
    rf"how did {ONE} (?:first )?(?:start|begin|stop|quit|get into) ",
    rf"(?:have|has) {ONE} (?:ever |also )?been (?:(?:caught|arrested|punished|accused|fired|fined|guilty)"
    r"(?: (?:for|while|of|when))? )?"
    r"(?=\w+ing\b)",
    r"(?:are|were) (?:you|we|they) (?:ever |still |currently |always |really )?(?!(?:planning|going|trying|hoping|"
    r"willing|looking|thinking|feeling|being|having|asking|saying) )(?=\w+ing \w)",
    rf"(?:should|do|did|would|have) {ONE} (?:ever |usually )?(?:feel|felt|get|been|be|become) "
    r"(?:[\w-]+(?:,? (?:or|and) | )){1,4}?(?:while|when|about|for|after|by|from|of) (?=\w+ing \w)",
    r"am i (?:[\w-]+ ){1,4}?(?:for|in|when) (?=\w+ing \w)",
    rf"(?:would|will|can|could|do|should) {ONE} (?:\w+ly |still )?(?:go to|get|be|lose|end up in|face|serve) (?:my |a |"
    rf"some )?"
    r"(?:jail|prison|arrested|in trouble|into trouble|fired|sued|fined|caught|punished|expelled|charged|prosecuted|"
    r"convicted|jailed|imprisoned|banned|deported|job|time) "
    r"for (?=\w+ing \w)",
    rf"how (?:much|many|long) [\w -]{{0,25}}?(?:{CAN} {ONE}|{ONE} {CAN}) (?:get|face|serve|pay|charge|spend) for "
    r"(?=\w+ing \w)",
    r"what(?:'s| is| was) it like (?=\w+ing\b)",
    r"why (?:even )?bother (?:with )?(?=\w+ing\b)",
    r"do (?:you|people) (?:really )?(?:enjoy|like|prefer|recommend|support|fantasize about|regret) ",
    r"(?:is|would) it (?:be )?(?:ever |really )?worth ",
    r"what is (?=[a-z]+ing(?: (?:an?|the|someone|somebody|people|my|your)\b.*)?[\s?.!]*$)",
    rf"{THE_BEST}(?:trick|key|secret|purpose|point|idea) {any_of('to', 'of', 'behind', 'in')} ",
    rf"(?:{WILL_YOU} )?{SOFT}(?:walk|guide|talk|take|lead) (?:{SOMEONE} )?(?:through|on|in) (?:the (?:\w+ )?{ASPECTS} "
    rf"(?:of|for|in|to) )?",
    rf"how (?:{CAN} {ONE}|{ONE} {CAN}) {SOFT}go(?:ing)? about {SOFT}",
    rf"(?:what|which) (?:(?:kinds?|sorts?|types?) of )?(?:[\w'-]+ ){{1,4}}?(?:{CAN} be|is|are|would be) {NEEDED} "
    rf"(?:for|in|when|by) ",
    rf"where (?:{CAN} {ONE}|{ONE} {CAN}|to) {SOFT}{FIND} {HOW_GOOD_WAYS} (?:on|about|regarding|for) ",
    rf"{THE_BEST}{WAYS} {FOR_ONE}(?:to|{ONE} {CAN}) {SOFT}go about {SOFT}",
    rf"(?:what|which) (?:[\w'-]+ ){{1,4}}?(?:{CAN} {ONE}|{ONE} {CAN}) {SOFT}(?:{USE}) "
    r"(?:for|when|in|while) (?=\w+ing\b)",
    r"(?:which|what) (?:[\w'-]+ ){1,4}?(?:allow|permit|support|promote|encourage|discuss|cover|explain|describe|"
    r"teach|glorify|ban|prohibit|punish|tolerate)s? (?=\w+ing\b)",
    rf"(?:(?:i|we) {WANT}|need|want|looking for|i'd (?:like|love)) (?:some |any |your )?"
    rf"(?:help|advice|tips|ideas|information|info|guidance|assistance) "
    rf"(?:{ABOUT} )?",
    rf"(?:{WILL_YOU} )?{SOFT}(?:help|assist) (?:{SOMEONE} )?(?:out )?(?:{ABOUT} )?",
    rf"(?:{WILL_YOU} )?{SOFT}(?:instruct|guide|advise|educate|inform|teach|train) (?:{SOMEONE} )?(?:{ABOUT}|through) ",
    rf"(?:{WILL_YOU} )?{SOFT}{MAKE} (?:{SOMEONE} )?(?:an? )?(?:{KIND_OF} )*{WRITTEN} {TELLING} ",
    r"(?:i'm|i am|i was|i've been|i have been) (?:thinking of|thinking about|considering|interested in|planning on) ",
    rf"(?:(?:have|has) {ONE} (?:ever )?|ever )(?:considered|thought about|thought of|tried|imagined|fantasi[sz]ed "
    rf"about) ",
    rf"(?:would|will|should|could|do) {ONE} (?:ever |really |even )*(?:consider|risk|mind|think about|think of|"
    rf"suggest) "
    r"(?=\w+ing\b)",
    rf"how much money (?:{CAN} {ONE}|{ONE} {CAN}) (?:make|earn|save|lose|get) (?:by |from |off )?(?=\w+ing\b)",
    r"what(?:'s| is) (?:stopping|preventing|keeping) (?:me|us|you|people|someone) from (?=\w+ing\b)",
    rf"{AGE} (?:{CAN} {ONE}|{ONE} {CAN}) (?:legally )?(?:start|begin|stop) ",
    rf"how (?:much|many) [\w-]+ (?:{CAN} {ONE}|{ONE} {CAN}) (?:[\w-]+ ){{1,2}}(?:when|while|for|before|after|by) ",
    r"what(?: is|'s| was) the (?:most )?[\w-]+ (?:thing|experience|story|moment) (?:that )?you(?:'ve| have)? (?:ever )?"
    r"(?:[a-z]+) (?:while|when) ",
    r"(?:which|what)(?: is|'s) (?:more|less|the most|worse|better|(?!insider )\w+er\b) ?[\w-]*[:,-]? ",
    rf"(?:what|can you imagine|describe|tell me|how much)\b[^?!.]{{0,60}} {JOY} (?:that )?{ONE} (?:{CAN} )?{SOFT}"
    r"(?:get|gain|derive|have|feel)s? (?:from|out of|by|when|in|while) ",
    rf"what do {ONE} (?:like|enjoy|love|hate) (?:most |best |the most )?(?:about|when) ",
    rf"how do {ONE} {SOFT}feel (?:when|while) ",
)

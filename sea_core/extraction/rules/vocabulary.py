"""The words that openers and courtesies consist of. None of them is harmful: they stay in the detoxified text."""

from __future__ import annotations


def any_of(*patterns: str) -> str:
    """Return a pattern that matches one of the patterns, tried in this order."""
    return "(?:" + "|".join(patterns) + ")"


def any_in(text: str) -> str:
    """Return a pattern that matches one of the patterns in a text, separated by ", "."""
    return any_of(*text.split(", "))


ONE = any_in(
    "i, you, u, ya, we, one, someone, somebody, anyone, people, they, a person, a (?:human|man|woman|user), "
    "(?:my|our) (?:class|team|family|friends?|group|brother|sister|son|daughter|kids?|child|children|wife|husband)"
)
CAN = any_in("can, could, do, does, did, should, would, might, may, will, shall, must, can't")
WILL_YOU = any_in("can, could, would, will, can't, won't") + " (?:you|u|ya|someone|anyone|somebody)"
IF_YOU = "if " + any_in("you, someone, anyone") + " " + any_in("can, could, would, might be able to")
# The spaces before the words belong to the patterns.
IS = any_in(
    "'s, s, 're,  is,  are,  was,  were,  would be,  might be,  could be,  do you (?:think|believe) (?:is|are|"
    "was),  would "
    "you say (?:is|are)"
)
SOFTENER = any_in(
    "please, really, actually, possibly, just, even, best, ever, maybe, kindly, hypothetically, theoretically, "
    "realistically"
)
SOFT = f"(?:{SOFTENER} )*"
FOR_ONE = rf"(?:for {any_in('me, us, you, someone, somebody, an? (?:person|company|group|child|user), one, people')} )?"
ABOUT = any_in("on, for, about, of, with, in")
WAY = any_in(
    "ways?, methods?, tips?, techniques?, strategy, strategies, approach, approaches, steps?, means, ideas?, "
    "instructions?, advice, suggestions?, directions, information, info, (?:hiding )?(?:places?|locations?|spots?), "
    "(?:day|days|time|times)(?: of (?:the )?(?:day|night|year|week))?, "
    "plans?, process, guides?, help, procedures?, secrets?, tricks?(?! to (?:play|pull)), hacks?, "
    "recipes?, tutorials?, guidance, guidelines?, tactics?, manuals?, blueprints?, practices, details?, specifics, "
    "walkthroughs?, roadmaps?, playbooks?, handbooks?, assistance, lessons?, outlines?, considerations, resources, "
    "schemes?, overview, pointers, insights?, measures, remedies, cures?, loopholes?, options, proposals?"
)
ADJECTIVE = "[a-z-]{3,}(?:ous|ful|ive|able|ible|less|ical)"
WAYS = f"(?:{ADJECTIVE} )?{WAY}(?: (?:and|or|&) {WAY})?"
HOW_GOOD = any_in(
    "the, an?, any, some, your, all, of, few, other, most(?= of ), more, least, really, very, "
    "step[ -]by[ -]step, good, great, "
    "best, better, easy, easiest, easier, fast, fastest, quick, quickest, simple, simplest, safe, safest, cheap, "
    "cheapest, effective, efficient, reliable, clever, smart, smartest, fun, creative, different, common, ideal, "
    "right, possible, useful, proper, ultimate, optimal, detailed, painless, funny, subtle, sneaky, secret, "
    "alternative, little, foolproof, surefire, brief, short, complete, new, nice, two, three, four, five, six, ten, "
    r"\d+, tailored, bespoke, personali[sz]ed, customi[sz]ed, relevant, important, extensive, additional, hands-on, "
    r"real-world, "
    r"(?!(?:request|test|forest|guest|interest|best|easiest|fastest|quickest|simplest|"
    r"safest|cheapest|smartest)\b)[a-z]+est, legal, illegal, unethical, cruel, brutal, twisted, "
    "painful, discreet, covert, persuasive, convincing, entertaining, interesting, unusual, natural, favou?rite, "
    "preferred, specific, comprehensive, in-depth, thorough, exact, actionable, practical, "
    "insider, expert, top, leading, "
    "popular, main, major, full, how-to, video, training, written, online, instructional, basic, key, explicit, "
    "advanced, professional, strategic, clear, several, many, multiple, various, certain, "
    "potential, successful, unique, first, necessary, typical, perfect, anonymous, well-known, ethical, "
    "legitimate, responsible, acceptable, appropriate, recommended, suggested, authori[sz]ed, playful, psychological, "
    "innovative, affordable, harmless, unconventional, proven, standard, general, overall, "
    "(?:most|least) (?!of )[\\w-]+, "
    "(?:list|lists|series|set|examples|overview|number|couple) of, and, or"
)
HOW_GOOD_WAYS = rf"(?:{HOW_GOOD},? )*{WAYS}"
IN_DETAIL = any_in(
    ",? ?in (?:full |great |graphic |explicit |complete |more |much )?details?, ,? ?step[ -]by[ -]step, specifically, "
    "clearly, briefly, thoroughly, to me, (?:to me )?like (?:i'm|i am) (?:five|5|a child)"
)
DETAILS = rf"(?:{IN_DETAIL},? )?"
# A whole sentence may follow these ("a way I can ..."); after other words ("advice I can ...") it would be incomplete.
PLACE = any_in("(?:hiding )?(?:places?|locations?|spots?), countr(?:y|ies), cit(?:y|ies)")
MANNER = any_in(f"ways?, methods?, times?, {PLACE}")
THE_BEST = rf"(?:(?:what|when|where|which){IS} |(?:is|are) there )?(?:{HOW_GOOD},? )*"
NEEDED = any_in(
    "(?:best |most |commonly |often |typically |usually |actually )*(?:used|needed|required|necessary|involved|"
    "effective|employed|suitable|useful|helpful|taken|recommended|good|best)"
)
USED = any_in("used, needed, required, necessary, employed, taken, exploited")
OKAY = any_in(
    "ok, okay, alright, all right, fine, legal, illegal, wrong, bad, good, right, possible, impossible, safe, unsafe, "
    "dangerous, normal, acceptable, an? (?:good|bad|great) idea, a crime, a sin, easy, hard, difficult, unethical, "
    "ethical, immoral, moral, mean, rude, weird, smart, appropriate, inappropriate, against the law, worth it, "
    "best, necessary, justified, important, healthy, unhealthy, better, cruel, cool, fun, allowed, permitted, "
    "considered cheating, time, about time, common, easier, harder, safer, cheaper, worse, natural, fair, unfair, "
    "reasonable, useful, "
    "(?:more|less) (?!than )[\\w-]+"
)
JUDGED_TO = any_of(
    rf"(?:(?:\w+ly|very|not|most|quite|too) )?{OKAY}",
    r"(?:\w+ly |very |most |quite |too )?"
    r"(?!(?:able|unable|liable|due|used|likely|unlikely) )"
    r"[a-z-]{2,}(?:ous|ful|ive|able|ible|less|al|ary|ite|ic|ish|ant|ent|ly)",
)
"""What a question may say of doing something, after "is it"; the endings are those of adjectives."""
EXACTLY = r"(?: (?:exactly|precisely|specifically|best|else|ever))?"
"""What may follow "how"."""
WANT = any_of(
    "(?:really |just |also |always |still )*" + any_in("want, need, have, plan, hope, wish, would like, would love"),
    "(?:am|was) " + any_in("trying, looking, planning, going, hoping, about"),
)
I_WANT_TO = any_of(
    rf"(?:i|we) {WANT} to",
    r"i'd (?:really )?(?:like|love) to",
    r"i'm (?:just |really )?(?:trying|looking|planning|going|hoping) to",
    r"i've (?:always wanted|been trying|been wanting) to",
    r"(?:i )?wanna",
    "(?:trying|looking|need|want) to",
)
WRITTEN = any_in(
    "poem, story, essay, letter, email, song, script, article, blog post, post, guide, tutorial, speech, paragraph, "
    "list, plan, text, summary, tweet, review, dialogue, manual, book, video, video tutorial, thread, podcast, blog, "
    "lesson, handbook, presentation, program, piece, book chapter, pamphlet, brochure"
)
KIND_OF = any_in(
    r"short, long, funny, detailed, simple, rhyming, brief, nice, quick, step[ -]by[ -]step, \d+ word, how-to, "
    "comprehensive, training, instructional, complete, thorough, social media, twitter, facebook, wikihow, new, blog"
)
TELLING = any_of(
    *"about on of for".split(),
    "(?:(?:that|which|to) )?"
    + any_in(
        "explain(?:s|ing)?, describ(?:e|es|ing), detail(?:s|ing)?, outlin(?:e|es|ing), demonstrat(?:e|es|ing), "
        "(?:teach(?:es|ing)?|show(?:s|ing)?|instruct(?:s|ing)?)(?: "
        "(?:people|children|kids|me|you|someone|users|others|readers))?"
    )
    + "(?: in detail)?",
)
TOOL = any_in(
    "tools?, supplies, equipment, ingredients?, materials?, things?, stuff, software, apps?, programs?, websites?, "
    "sites?, skills?, documents?, steps, words?, methods?, techniques?, tactics?, strategies, strategy, ways?, "
    "approaches, approach, language, arguments?, actions?, resources, measures, tricks?, platforms?, precautions?, "
    "procedures?, practices"
)
USE = any_in(
    "use, take, mix, combine, consider, create, install, buy, get, say, employ, try(?! to), apply, make, need, "
    "purchase, eat, drink, do, tell, wear"
)
TOOLS = f"{TOOL}(?:,? (?:and|or) {TOOL})?"
COST = any_in(
    "punishments?, penalty, penalties, fines?, risks?, consequences?, chances, odds, dangers?, benefits?, downsides?, "
    "advantages?, disadvantages?, pros and cons, possibility, feasibility, legality, "
    "costs?, effects?, side effects, rules?, laws?, challenges?, difficulty, "
    "difficulties, hazards?, drawbacks?, rewards?"
)
EFFECTIVE = any_in(
    "long-term, short-term, long term, short term, health, negative, positive, harmful, adverse, legal, physical, "
    "psychological, mental, social, actual, biggest, possible, medical, environmental, economic, emotional, financial"
)
SOMEONE = any_in(
    "me, us, people, users?, the (?:user|reader|audience)s?, a (?:user|person|friend|child|beginner), readers, "
    "viewers, children, kids, students, others, someone, somebody, everyone, anyone, individuals, criminals, "
    "teenagers, teens"
)
MAKE = any_in(
    "write, create, produce, generate, draft, compose, develop, publish, make, prepare, design, outline, give, "
    "provide, share, offer, present, show, list, post, film, record, build, suggest, recommend, devise, brainstorm, "
    "formulate, come up with, describe, explain, detail, discuss, state, specify, name, supply, send, propose, teach, "
    "identify(?! the(?! (?:most|least|best|worst|\\w+est|risks?|dangers?|benefits?|steps|consequences)\\b)), "
    "research, determine, estimate, "
    "evaluate, assess, examine, debate, compile, analy[sz]e, explore, investigate, summari[sz]e, "
    "instruct, demonstrate, tell, construct, advise, guide, given, lay out, sketch, find, walk, inform, educate, "
    "elaborate, train, illustrate, clarify, map out"
)
"""What instructions ask the assistant to do with a text that speaks of the phrase."""
LEARN = any_in("know, understand, learn, find out, figure out, understand, see, hear, learn about")

AFTERMATH = any_in("effects?, impacts?, causes?, consequences?, results?, goals?, aims?, reasons?, purpose, aftermath")

HELLO = any_in(
    "what's your (?:take|opinion|view) on this, just (?:curious|wondering), quick question, out of curiosity, "
    "(?:in|for) (?:an?|my|your|the) (?:(?:video|computer|board) )?"
    "(?:game|novel|book|story|film|movie|play|screenplay|comic|essay), "
    "in (?:your|my) (?:opinion|view|experience), in (?:theory|general|practice|real life|detail), "
    "(?:hypothetically|theoretically|generally|legally|purely hypothetically)(?: speaking)?, "
    "(?:for|out of) (?:fun|science|research|curiosity), asking for a friend, "
    "exactly, hi, hey, hello, yo, ok, okay, so, well, um, please, pls, alright, dude, there"
)
GREETING = rf"(?:{HELLO}(?:[,.!:…]+ ?| ))*"
ROLE = (
    r"(?:(?:as|you are|you're|(?:imagine |suppose |pretend )you(?:'re| are)|if (?:you|i) were) (?:now )?"
    r"an? (?:[\w'-]+ ){0,4}[\w'-]+|"
    r"(?:given|based on|considering|in order to) [^,?!.]{3,60}), "
)
FIND = any_in("buy, get, find, purchase, obtain, order, acquire, rent, score, download, locate")
GIVE = any_in("give, get, find, send, show, provide, bring, sell, lend")
ASPECTS = any_in(
    "process, steps?, aspects?, basics, details, mechanics, stages?, procedures?, ins and outs, act, art, nuances, "
    "intricacies, complexities, (?:creation|production|manufacture|development|use)(?! of [^?!.]* (?:in|for|to|as) ), "
    "concept, history, definition"
)
"""What a request may be about, of the phrase."""
GROUP = any_in(
    "people, persons?, m[ae]n, wom[ae]n, groups?, gangs?, country, countries, killers?, criminals?, leaders?, "
    "dictators?, presidents?, kings?, queens?, army, armies, soldiers?, nations?, politicians?, hackers?, "
    "company, companies, terrorists?, spy, spies"
)
"""Who may have done something."""
EFFECT = any_in(
    "cause, help, make, lead, increase, improve, kill, cure, hurt, harm, prevent, reduce, affect, damage, count, "
    "violate, ruin, protect, guarantee, get you"
)
"""What an activity may do, in a question about it: "Does cracking your knuckles cause arthritis?"."""
CAUSING = any_in(
    "contain, kill, harm, help, stop, cause, cure, treat, heal, prevent, reduce, improve, relieve, trigger, "
    "damage, increase, decrease, boost, offer, "
    "lead to, contribute to, protect, affect, lower, eliminate, make you, make people, make someone, make us, make me"
)
"""What a thing may do, in a question about it: "Can lamp oil cure headaches?"."""
HARMFUL = any_in(
    "addictive, toxic, poisonous, harmful, harmless, lethal, deadly, fatal, effective, useful, banned, forbidden, "
    "prohibited, legali[sz]ed, criminali[sz]ed, evil, unnatural, natural, beneficial, overrated, unfair, fair, real, "
    "morally \\w+, a (?:good|bad) thing, a sin, a disease, a choice, a problem, a scam, a hoax, a myth"
)
DEGREE = any_in(
    "not, really, actually, so, that, all that, very, still, completely, totally, inherently, ever, always, "
    "considered, even, just"
)
AFFECTED = any_in(
    "you, us, me, people, humans, everyone, society, the \\w+, children, kids, health, (?:your|my) health"
)
JUDGED = rf"(?:{DEGREE} )*{any_of(OKAY, HARMFUL)}(?: (?:for|to|in) {AFFECTED})?(?: or not|,? and why(?: or why not)?)?"
"""How a question judges what it is about."""
PICTURE = any_in("pictures?, photos?, photographs?, images?, drawings?, videos?")

THE_USE = "(?:the (?:use(?! of [^?!.]* (?:in|for|as) )|idea|practice|act|concept) of )?"
OPINION = any_in(
    "opinions?, views?, take, stance, position, thoughts?, feelings?, experiences?, perspective, attitude, "
    "understanding, knowledge"
)
SKILL = any_in("expertise, experience, knowledge, skills?, training, interest, background, problems?")
SIDE = any_in(
    "problem, issue, matter, deal, point, harm, downside, upside, thing, part, fun, appeal, thrill, joy, pleasure"
)
JOY = any_in("pleasure, satisfaction, thrill, joy, fun, enjoyment, kick, benefit, benefits, money")
REASON = rf"(?:{HOW_GOOD} )*(?:reasons?|excuses?|justifications?|motivation|arguments?)"
AGE = r"(?:what(?:'s| is) the [\w-]+ age (?:at which|when|that)|(?:at|from) (?:what|which) age)"
WHICH_ONE = r"(?:what|which)(?: [\w'-]+){1,8}?"

SO_IT = r"(?:this|that|it|so|these things)"
# What may follow the phrase, after a comma or as a separate sentence. It adds no content.
CLOSING = any_of(
    r"please(?: help(?: me)?)?(?: out)?",
    r"(?:thanks|thank you)(?: so much| a lot| very much)?",
    r"any (?:ideas?|suggestions?|advice|tips|help)(?: (?:for|on) (?:an? |the )?[\w-]+)?",
    r"i (?:could use|need) (?:your |some )?(?:help|advice|ideas)",
    rf"(?:so |and |but )?how {CAN} {ONE} {SOFT}(?:go about )?"
    rf"(?:do|doing|accomplish|achieve|manage|pull off|get away with) {SO_IT}",
    rf"(?:{WILL_YOU} |please )?{SOFT}help (?:me|us)?(?: ?with {SO_IT})?(?: ?do {SO_IT})?(?: out)?",
    rf"{WILL_YOU} {SOFT}(?:assist|help)(?: me)?",
    rf"{WILL_YOU} {SOFT}(?:tell|show|teach|explain to) me how(?: to do {SO_IT})?",
    rf"(?:do you )?(?:know|have) (?:any|some) (?:ideas?|suggestions?|advice|tips)(?: on how to do {SO_IT}| for me)?",
    rf"do you know how (?:to do {SO_IT}|i (?:can|could) do {SO_IT})",
    rf"(?:{WILL_YOU} |please )?{SOFT}(?:guide|help|assist|advise|instruct|tell|show|teach|give|provide) (?:me|us)? "
    rf"?(?:with )?(?:some |any )?(?:tips|advice|guidance|ideas|instructions|help)? ?(?:on |in |with |for )?(?:how to "
    rf"do|doing|making) {SO_IT}(?: \\w+ly)?",
    rf"what(?:'s| is| would be) the (?:best|easiest|fastest|quickest) way to (?:do|go about) {SO_IT}",
    rf"(?:is|would) {SO_IT} (?:be )?{OKAY}",
    r"what (?:should|can|do) i do",
    r"let's (?:play a game|get to know each other|chat)",
    r"(?:how are you|what's up|how's it going|how is it going|nice to meet you)(?: doing)?(?: today)?",
    r"what do you (?:think|recommend|suggest)",
    r"where (?:do|should|can|would) i (?:start|begin)",
    rf"i hope {ONE}(?:'re| are) (?:doing |having )?(?:well|good|great|fine|a (?:good|great|nice) \w+)",
    r"right",
    r"lol",
    rf"{WILL_YOU} {SOFT}(?:give|provide|offer|share|suggest)(?: (?:me|us))?(?: with)? (?:some |any |a few )?{WAYS}",
    r"asap",
    r"thx|ty|plz|pls",
)

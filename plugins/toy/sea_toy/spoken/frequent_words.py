"""Frequent English words, so many that a model has to read their letters instead of learning them by heart.

The most frequent words that SmolLM2's tokenizer has a token for and that lemminflect knows as verbs, nouns or
adjectives alone, without rude words and those of extreme violence. None is a form of a word that the exam holds out.
"""

from __future__ import annotations

FREQUENT_VERBS = tuple(
    """
    abandon absent absorb abstract accept access accompany accomplish accord account achieve acquire action adapt
    addict address adequate adhere adjust administer admit adopt advance advantage adventure advert advertise
    advise advocate affect affirm afford agree alarm alert align alleviate allow alter alternate amount analyze
    anger angle announce answer appeal appear append apply appoint appreciate approach arch argue arise arrange
    array arrest arrive article assault assert assess assign assist associate assume attach attack attain attempt
    attend attract attribute author avail aver average avoid await award baby background balance ball balloon band
    bank bare bark base basket batch bath batter battle beam bear beat become beef begin behave believe bell
    belong benefit bias bike bill bind bite black blame blank blend bless blind block blood bloom blow blue board
    boat bomb bond bone book boost border bore borrow bottle bottom bound bowl brain branch brand brave break
    breakfast breathe breed brick bridge brief bring broadcast brown brush buck budget buff buffer bulk bull
    burden burn burst bust busy butter button cable cache calculate calendar call calm camp campaign canal
    candidate canvas capture card care career carp carry cart case cash cast castle catalog catch cater cause
    caution cave celebrate cement census center centre chain chair challenge champ chance change channel chap char
    charge chart chat check chicken chip choose chop circle cite claim clarify class click climb clip clock clot
    cloud club cluster coach coast coat code coin collapse color colour comb combat combine come comfort command
    comment commission commit compact companion compare compete complement complete complex comply composite
    compost compound comprehend compress compromise compute concern conclude concrete condition conduct confirm
    conflict conform confront connect consent consider consist consisted constitute construct consult consume
    contact contain content continue contract contradict contrast contribute control convert convey convict
    convince cool coordinate cope copper copy copyright cord core corn corner correct correspond corrupt cost
    cough counsel count couple course court cover crack craft cram cream create credit crew crop cross crow crowd
    crown crust cultivate culture cure curve cycle damage damp dance date dawn deal debate decay decide deck
    declare decline decrease deepen default defeat defect defend define delay delete delight deliver delve demand
    dent deny depart depend depict deploy deposit descend descent describe desert deserve design desire destroy
    detail detect deter determine develop diagnose diagram dial dialog dialogue diet differ digest dirty disagree
    disappear disappoint disc discern discharge discipline discount discourse discover discuss dish disk dismiss
    disorder display dispute disrupt distance distract distress distribute disturb dive divine divorce document
    doll dose doubt download draft drag drain draw dream dress drill drink drive drop drug drum dump dust dwell
    earn earth ease echo edge edit educate effect elaborate elect eliminate email embark embed embrace emerge emit
    emphasize employ empower empty enable enact encompass encounter encourage enforce engage engineer enhance
    enjoy enrich enroll ensure enter entertain entrance enumerate envelop equal escape essay establish estimate
    evaluate evidence evolve exact examine exceed except exchange excite exercise exert exhaust exhibit exist exit
    expand expect expend experience experiment expertise explain exploit explore export expose extend extract face
    facilitate factor fail fake fall fancy fantasy farm fashion fate father fatigue fault favor favour fear
    feather feature feed feel fell fever field fight figure file fill film filter finance finger finish fire fish
    flag flash flaw flee flesh flex flip float flood floor flour flow flower foam focus fold follow fool foot
    footprint force forecast forest forget form format foster founder fraction frame frequent front frost fruit
    fuel fulfill function fund gain gall game gang garden gate gather gauge gear gender generate gentle ghost gift
    give glance glass glory glow govern grab grace grade graduate grain grant graph grasp grass grate gray green
    grey gross ground group grow guarantee guard guess guest guide hack hand handle happen harm harvest hash hate
    hazard head heal hear heat help hide highlight hint hire hold hole holiday hollow honor hope horn host house
    humble humor hunger hunt hurt husband identify ignore illustrate image imagine impact impair impart implant
    implement import imprison improve inch include increase index indicate induce infect infest influence inform
    inhabit inherit initial inject input insert insist inspire install instance instruct instrument integrate
    inter interact interest interface interfere intern interpret interrupt intersect interview intimate intricate
    introduce invent inventory invest invite involve iron issue jack join joint journal journey judge juice jump
    justify keen keep kernel keyboard kick king knee knife knock know label labor labour lack lake land landscape
    language laser laugh launch layer lead leaf leak lean learn leather leave lecture legitimate lens letter lever
    license lift lightning like limb limit line link list listen litter live load loan locate look loop lose love
    luck lunch machine mail mainstream maintain major make manage manifest manipulate march mark market marvel
    mask mass mast master match matter mature maximize meal mean measure meet melt mention merge mesh mess message
    metal meter microscope middle milk mill mind mine minimize minister minor minute mirror miss mist mistake
    mitigate mock model moderate modify mold monitor moon mother motion motor mount mouth move muscle narrow
    navigate neck needle negative neglect neigh neighbor nerve nest network niche nick noise norm nose note notice
    null numb number nurse object observe obtain occasion occur offer offset operate optimize option orbit order
    organize orient outbreak outline output overcome overlap overview overweight pace pack package packet page
    pain paint pair pale palm panel panic paper paragraph parallel park parse partition partner party pass paste
    patch patent pattern peak peer pencil people pepper perceive perfect perform perm permit persist petition
    phase phone photograph phrase physic pick picture piece pile pill pilot pine pink pipe pitch place plan plane
    plant plaque plate play please pleasure plot pocket point poison pole police poll pond pool port portion
    portray pose posit position possess post posture pound powder power practice praise precise predict prefer
    prefix prejudice prepare present preserve press pressure prevent prey price pride prime print privilege probe
    proceed process produce product profess profile profit program programme progress project prolong promise
    promote proof prop proportion propose prospect prosper protest protocol prototype prove provide provision
    psych publish pull pulse pump purchase purpose pursue push puzzle quad quarter queen query quest question
    quiet quit quiz race radio radius rail railroad rain raise range rank rate ratio reach react read ready
    realize rear reason recall receive recess recognize recommend record recover recruit recur redirect reduce
    reef refer reference refine reflect reform refuse regard register regulate reign rein reinforce reject relate
    relax release relieve rely remain remark remedy remember remind remove rend render renew rent repair repeat
    replace reply report represent reproduce request require rescue research reserve reset resist resolve resonate
    resort resource respect respond rest restore restrict result retain retire retreat return reuse reveal reverse
    review reward ride ring rise risk rival rock rocket roll roof room root rout route rule rush rust sacrifice
    safe sail salary salt sample sand satisfy save scale scan scar scatter schedule scheme school scope score
    scrap scratch screen script sculpt sculpture seal seam search season seat second section sector secure
    sediment seed seek seem segment select self sell send sense sentence separate sequence serve service settle
    sever shade shadow shallow shame shape shed sheet shell shelter shield shift ship shock shoot shop shore short
    shoulder show showcase shower shut side sight sign signal silence silver sing single sink site size sketch
    skill skin skip skull sleep slice slide slight slip smart smell smile smoke smooth snack snake snap snow soil
    soldier sole solve sort soup sour source space span spark speak specify speed spell spend spill spin spirit
    spite split sport spot spray spread spring stable stack staff stage stain stake stamp stand star start state
    station stay steady steam steel steep stem step stew stick stimulate stir stock stomach stone stop store storm
    strain strand stream strengthen stress stretch strike string strive structure struggle stud study stuff style
    subject submit substitute succeed suffer sugar suggest suit summer supplement support suppose suppress surf
    surface surge surprise surround survey survive suspect sustain swallow sweat swim switch tablet tack tackle
    tail take talk tank tape target task taste teach team tear telephone telescope tell temp temper template tempt
    tend tender tense tension tent tenure term test texture thank think thread threshold thrive throne throw thumb
    tick till timber time tire title toll tone tongue tool total touch tough tour tower trace track trade traffic
    trail train transcend transcript transfer transform transit transition translate transmit transplant transport
    trap trash travel treasure treat tree trend trial trick trigger trim trip triumph trouble truck true trust
    tunnel turn tutor twist type ultrasound uncover undergo understand unfold uniform update upload upset utilize
    utter vacuum validate value vapor vary vector vend vent venture verify version video view vine vision visit
    visualize voice volume volunteer vote wage wait wake walk wall wand want warm warn warrant waste watch water
    wave weaken wear weather weekend weigh weight welcome wheel while white wind window wing winter wire wise wish
    withdraw wolf wonder wood word work worry worship wound wrap write yard yeast yellow yield zero zinc zone
    """.split()
)
FREQUENT_NOUNS = tuple(
    """
    abandon abdomen abdominal ability abnormal abolition absence absolute absorption abstract abundance academia
    academic accent acceptance access accident accidental accord accordance account accounting accuracy accused
    acid acidity acne acre acting action activation active activism activist activity actor adaptation addict
    addiction addition additive address adherence adhesion adhesive adjective adjustment admiration admission
    adolescent adoption adrenal adult adulthood advance advances advantage advent adventure adversity advice
    adviser advisor advisory advocacy advocate aerial aesthetics affair affect affected affection affinity
    aftermath afternoon agency agenda agent ages aggregate aggression aggressive agility aging agreement aircraft
    airplane airport airway alarm album alcohol alcoholic alert algebra algorithm alien alignment allergic allergy
    alliance allocation allowance alloy ally almond alphabet altar alteration alternate altitude aluminum amateur
    ambiguity ambition amendment ammonia ammunition amount amplitude anaerobic analog analogy analysis analyst
    anatomy ancestor ancestry anchor anemia anesthesia angel anger angle animal animation ankle annex annual
    another answer ante antenna anterior anti antibiotic antibody antigen antique antiquity anxiety anybody anyone
    anything apartment aperture apparatus appeal appearance appetite apple appliance applicant approach approval
    aquarium aquatic arch architect archive archives area arena argument arithmetic armor army aroma aromatic
    array arrest arrival arrow arsenic artery arthritis article artifact artillery artist artwork asbestos aspect
    aspirin assault assay assembly assertion assessment asset assignment assistance assistant associate assumption
    assurance aster asteroid asthma astronaut astronomer astronomy asylum athlete atmosphere atom attachment
    attack attainment attempt attendance attending attention attitude attorney attraction attribute auction
    audience audit authentic author authority authorship autism autistic auto automatic automation automobile
    autonomy autumn avail average avian aviation avocado avoidance award axis baby bachelor backbone backdrop
    background backing backup backyard bacteria bacterium balance ball balloon bamboo banana band bandwidth bank
    bankrupt baptism bark barley barn barrel barrier basal base baseball baseline basement basics basil basin
    basis basket basketball bass batch bath bathroom batter battery battle beam bean bear bearing beast beat
    beating beauty bedroom bedtime beef beer beet beetle beginner beginning behavior behaviour belief believer
    bell belly beloved benchmark bend beneficial benefit bent beta beverage bias bicycle bike bile bilingual bill
    billion billions binary bind binding biography biologist biology biopsy bipolar bird birth birthday bishop
    bison bite black bladder blade blame blank blanket blast bleeding blend blessing blind block blocking blood
    bloom blow blowing blue blueprint blues blur board boat body boil boiler bolster bomb bombing bond bonding
    bone bonus book boom boost booster boot border bore borrowing boss botanical both bother bottle bottom bounce
    bound boundary bourgeois bowel bowl brace brain brainstorm brake bran branch brand brass brave bravery breach
    breadth break breakdown breakfast breath breathing breed breeding brew brick bride bridge brief brilliant
    broad broadcast broccoli bronze broth brother brow brown browse browser brush brushing bubble buck bucket
    budget buff buffer builder buildup bulb bulk bull bullet bunch bundle burden bureau burial burn burning burst
    bush bust butter butterfly button buyer buzz bypass byte cabbage cabin cabinet cable cache cage calcium
    calculator calculus calendar calf call calm camp campaign campus canal cancer candidate candle candy cane
    canine cannabis canon canopy cant canvas capability capacitor capacity capital capitalism capitalist capsule
    captain captive captivity capture carbon carbonate carcinoma card cardboard cardiac care career caregiver
    cargo carp carpet carrier cart cartilage cartoon carving case cash cast caste casting castle casual catalog
    catalyst catch category cathedral catheter cattle cause caution cavalry cave cavity ceiling cell cement
    cemetery censorship census cent center central centre century ceramics cereal cerebral ceremonial ceremony
    certainty cervical cessation chain chair chairman chalk challenge chamber chambers champ chance change channel
    chaos chap chapel chapter char character charcoal charge charity charm chart charter chase chat check cheer
    cheese chemical chemist chemistry cherry chess chest chew chewing chick chicken chief child childbirth
    childhood chin chip chloride chlorine chocolate choice chop chord chore chromosome chronic chunk church
    cigarette cinema cinnamon circadian circle circuit circular citation citizen citrus city civilian claim clan
    clarity class classic classified classroom clause clay cleanup clearance clearing clergy click client cliff
    climate climb clinic clinical clip clock clog closing closure clot cloth clothes clothing cloud club clue
    cluster clustering coach coal coalition coast coastline coat coating coconut code coding coffee cognition
    cohesion cohort coil coin collapse collar colleague collection collective collector college collision colon
    colonial colony color colored colour coloured column comb combat combine combustion comedy comes comet comfort
    comic coming command commander comment commentary commerce commercial commission commitment committee
    commodity common communism communist community compact companion company comparison compass compassion
    compatible competence compile compiler complaint complement completion complex complexity compliance component
    composer composite compost compound compress compromise computer concept conception concern concert conclusion
    concrete condition conduct conductor cone conference confidence conflict confusion congestion congress
    connection connective connector conquest conscience consensus consent conserve console conspiracy constant
    constraint construct consultant consumer contact container content contents contest context continent
    continuity continuum contract contractor contrary contrast control controller convent convention conversion
    convert converter convict conviction cool cooler coop coordinate cope coping copper copy copyright coral cord
    core corn corner coronary corps corpus correction corrosion corruption cortex cosmetic cosmos cost cotton
    cough council counsel counseling counselor count country coup couple coupling courage course courses court
    courtesy cousin covenant cover coverage covering cozy crab crack craft crater craw crawl cream creation
    creative creativity creator creature credit creek crest crew crick crime criminal crisis crisp criterion
    critic criticism critique crop cross crossing crow crowd crown crude cruelty cruise crust crypt crystal cube
    cuisine culprit cult culture curb cure curiosity currency current curriculum curse cursor curvature curve
    custody custom customer cutting cycle cylinder cyst dairy damage damages damp dance danger dark dash data
    database date daughter dawn daylight daytime deadline deaf deal dealing dear death debate debris debt decade
    decay decimal decision deck decline decor decoration decrease decree dedication deed deer default defeat
    defect defective defence defendant defense deficiency deficient deficit definition degree deity delay deli
    delight delivery delta demand dementia demise democracy demon denial dens density dent dental dentist
    department departure dependence dependent depiction depletion deployment deposit deposition depression
    depressive depth depths deputy derivative dermatitis descent desert design designer designing designs desire
    desk despair detail detection detective detention developer deviation device devil devotion diabetes diabetic
    diagnosis diagnostic diagonal diagram dial dialect dialog dialogue diameter diamond diaphragm diarrhea diary
    dice dictate diction dictionary diesel diet dietary difference difficulty diffusion digest digestion digestive
    digit dignity dilemma dimension dimensions dinosaur dioxide diplomacy direction director directory dirt
    disability disabled disaster disc discharge discipline disclosure discomfort discord discount discourse
    discovery discretion discussion disease dish disk disorder disparity display disposable disposal dispute
    disruption dissent distance distortion distress district dive diver diversity divine division divorce dock
    doctrine document doing doll dollar domain dome domestic dominance dominant domination donation donor dorm
    dorsal dosage dose doubt dough download dozen draft drag dragon drain drainage dram drama drastic draw drawing
    dread dream dress dressing drift drill drilling drink drive driver drone drop drought drove drug drum dual
    duck duct dump duplicate durability durable duration dust duty dwarf dwell dwelling dynamics dynasty dyslexia
    each eagle earl earnings earth earthquake ease echo eclipse ecology economics economist economy ecosystem
    eczema edge edible edition editor editorial education educator effect efficacy efficiency effort elastic elbow
    elder elderly elect election electrode electron element elephant elevation eligible elite email embedding
    embrace embryo emergence emergency emission emotion empathy emperor emphasis employee employer employment
    enamel enclosure encoding encounter encryption endeavor endemic ending endurance enemy energy engagement
    engine engineer enjoyment enrichment enrollment ensemble entail enterprise enthusiasm entity entrance entropy
    entry envelope enzyme epic epidemic epilepsy episode epoch equal equality equation equator equipment equity
    equivalent erosion error eruption escape esophagus essay essence essential estate esteem estimate estimation
    estrogen ethical ethics ethnic ethnicity evacuation evaluation evening event evergreen everyone everything
    evidence evil evolution exam example excavation excellence exception excerpt excess exchange excitement
    exclusion exclusive excuse executive exercise exhaust exhaustion exhibit exhibition exile existence exit
    exotic expansion expectancy expedition expense experience experiment expert expertise exploit explorer
    explosion explosive export expose exposure expression extension extent exterior external extinction extract
    extraction extreme fabric face facet facility facing fact factor factory faculty fail failing failure faint
    fairy faith faithful fake fall fallen fame familiar family famine fancy fantasy fare farm farmer farmland
    fashion fate father fatigue fatty fault fauna favor favorite favour favourite fear feast feat feather feature
    federal feed feedback feeding feeling feelings fell fellow fellowship felt female feminine feminism feminist
    fence fertility fertilizer fest festival fever fiber fibre fiction field fifth fight fighter figure filament
    file filing fill filling film filter filtration final finance finances financing finger finish fire firing
    fish fist fitting flag flame flank flare flash flask flavor flaw flax fleet flesh flex flight flip float flock
    flood flooding floor flora floss flour flourish flow flower flowering fluency fluid fluoride flux flying foam
    focus foil fold folder folding foliage folk folklore folks following font food fool foot footage football
    footprint forage force fore forecast forefront foreground forest forestry fork form format formation formative
    former formula fort fortress fortune forum fossil fostering foundation founder fourth fraction fracture
    fragment frame frames framework frank fraud freedom freeze freezing freight frequency freshwater friction
    friend friendship fright frog front frontal frontier frost fructose fruit fuel function functional fund
    funding funds funeral fungus furnace furniture fuse fusion future gain gains galaxy gall gallon game games
    gamma gang garage garbage garden garlic garment gasoline gastric gate gateway gather gathering gauge gaze gear
    gender gene general generation generator generic generosity genetics genius genome genre genus geography
    geology geometry germ gesture ghost giant gift ginger girl give given glacier glance gland glass glasses
    glaucoma glimpse glob globe glory gloss glow glucose glut gluten goal goat goddess gold golf good goods gospel
    governance government governor grab grace grad grade gradient grading graduate graduation grain gram grammar
    grand granite grant graph graphic grasp grass grate gratitude grave gravel gravity gray great greed green
    greenhouse grey grid grief grind grinding grip grit grocery groom gross ground grounds groundwork group
    grouping growth guarantee guard guardian guess guest guidance guide guideline guilt guitar habit habitat hack
    hair hall halt hammer hand handful handle handler handling happening harassment harbor hardship hardware harm
    harmonic harmony harvest harvesting hash hatch hate hatred haunt haven hazard head headache header heading
    healing health healthcare hearing heart heartbeat heat heater heating heaven hedge heel height heir helicopter
    helium helm helmet help helper helping hemisphere hemoglobin hepatitis herb herbal herd heritage hero hide
    hierarchy highlight highway hill himself hind hint hire historian history hive hobby hockey hold holder
    holding hole holiday hollow homeland homeless homework hone honesty honey honor honour hood hook hope hopeful
    horizon horizontal hormonal hormone horn horror hose hospital host hostility hotel hour house household
    housing hull human humanities humanity humidity humility humor hundred hunger hunt hunter hunting hurricane
    hurt husband hybrid hydrogen hygiene hypothesis icon idea ideal identifier identity ideology idol ignorance
    illegal illusion image imagery imaginary imaging imbalance immersion immigrant immune immunity impact
    impairment imperative imperfect implant implement import importance impress impression impulse inability
    inactive incentive inception inch incidence incident inclusion income incoming increase index indication
    indicative indicator individual induction industrial industry inequality inevitable infancy infant infantry
    infection inference inferior inflation influence influenza influx ingenuity ingestion ingredient inhibition
    initial initiate initiation initiative injection injury injustice innocent innovation inorganic input inquiry
    insect insecurity insert insertion inside insight insomnia inspection instance instant instinct institute
    instructor instrument insulation insulin insult insurance intake integer integral integrity intellect
    intensity intent intention interest interface interior intern internal internet interplay interval interview
    intestine intimacy intimate intrinsic intuition intuitive invalid invasion invasive invention inventor
    inventory inverse investment investor invitation iron irony irregular irrigation irritation island isolate
    isolation issue itching iteration itself ivory jack jail jazz jelly jewel jewelry join joining joint joke
    journal journalism journalist journey judge judgement judgment juice jump jumps junction jungle junior junk
    jury justice juvenile keen keep kernel keyboard keyword kick kidney kind king kingdom kiss kitchen knee knife
    knock knot knowledge known label labeling labor laboratory labour lack lactose ladder lady lake lamb lambda
    lamp land landfill landing landmark landscape lane language laptop laser lateral latitude latter laugh
    laughter launch laundry lava lawn lawsuit lawyer layer layout lead leader leadership leaf league leak leakage
    lean leap learner learning lease leather leave lecture lecturer legacy legend legitimacy leisure lemon
    lemonade length lens lesson lethal letter letters lettuce leukemia lever leverage liability liberal liberation
    liberty library license life lifespan lifestyle lifetime lift ligament lighting lightning likelihood limb lime
    limestone limit limitation line lineage lining link lipid liquid list listener listing liter literacy literal
    literature lithium litigation litter livelihood liver livestock living load loading loan lobby local location
    logger logic login logistics logo longevity longitude look loop lord loss lottery love lovely lover loyalty
    luck lumber lump lunch lung lupus lush luxury lymph machine machinery macro magazine magic magnesium magnet
    magnitude maid mail main mainland mainstream maize major majority make maker makeup malaria male malignant
    mammal management manager mandate maneuver manganese manifest mankind manner mantle manual manuscript many
    maple mapping marble march margin marijuana marine mark marker market marketing marking marriage married
    marrow marsh mart marvel mask mass massage mast master mastery match matching mate material math mating matrix
    matter maturity maxim maximum mayor meal mean meaning means measles measurable measure meat mechanics
    mechanism media median mediation medic medical medication medicinal medicine meditation medium meet meeting
    melanoma melody melt member membership membrane memoir memorial memory menopause mention mentor menu merchant
    mercury mercy mere merit mesh mess message messenger metabolism metal metaphor meteor meter methane method
    metric micron microscope microscopy microwave middle midnight midst migraine migrant migration mile milestone
    military militia milk mill million millions mimic mind mine mineral mini miniature minim minimum minister
    ministry minor minority mint minus minute minutes miracle mirror miss missile mission missionary mist mistake
    misuse mitigation mixture mobile mobility mock mode model modeling modelling moderate moderation modern
    modulation module moisture mold molecule moment momentum monarch monarchy monastery money monitor monitoring
    monk monkey monopoly monoxide monster month monument mood moon moral morale morality morbidity morning
    morphology mortality mortar mortgage mosaic mosque mosquito moss moth mother motif motion motivation motor
    mould mount mounting mouth move movement movie movies mucus mulch multimedia multiple multitude municipal
    muscle museum mush mushroom music musical musician mustard mutation myriad mystery myth mythology nail narc
    narrative narrator nasal nation national native natural nature nausea navigation navy necessary necessity neck
    nectar needle needs negative neglect neigh neighbor neighbour neither neon nerve nest network neuron neutral
    neutrality neutron newborn news newsletter newspaper niche nick nickel nickname nicotine night ninth nitrate
    nitrogen nobility noble node noise nominal nonfiction nonprofit noon norm normal nose notable notation note
    notebook nothing notice notion noun novel nozzle nucleus null number nurse nursery nursing nurture nutrient
    nutrition oath obedience obesity object objection objective obligation observer obstacle occasion occupation
    ocean odds odor offense offensive offer offering office officer official offset offspring olive omega onion
    onset opening opera operation operator opinion opponent opposite opposition oppression optic optics optimism
    optimum option orange orbit orbital order ordering organic organism origin original ornament ornamental orphan
    other ours ourselves outbreak outcome outlet outline outlook output outrage outreach oval oven overdose
    overflow overlap overload overlook oversight overview overweight owner ownership oxidation oxide oxygen ozone
    pace pack package packaging packet packing pagan page pain paint painter painting pair palace pale palette
    pall palm pancreas pandemic panel panic pant paper paradigm paradox paragraph parallel paralysis parameter
    parasite parasitic parent parental parenting parish park parliament pars parser partial particle particular
    partition partner party pass passage passenger passion passive password pasta paste pastoral pasture patch
    patent path pathogen pathology pathway patience patient patriarch patriot patrol patron pattern pause payload
    payment peace peak peanut pear peasant peat pedestrian peer pelvic penalty pencil peninsula pension people
    pepper percentage perception perennial perfect perfection perimeter period peripheral perm permanent
    permission permit person personal personnel pest pesticide petition petroleum phase phenomenon philosophy
    phone phosphate phosphorus photo photograph phrase physic physical physician physicist physics physiology pick
    pickle picture piece pier pigment pile pilgrim pilgrimage pill pilot pine pink pinpoint pioneer pipe pipeline
    pitch pixel pizza place placebo placement plagiarism plague plain plan plane planet plank planning plant
    plantation planting plaque plasma plaster plastic plate plateau platform play player playground pleasure plot
    plum plural plus pneumonia pocket poem poet poetry point pointer poison poisoning polar pole police policy
    polio politician politics poll pollen pollution polymer polynomial pond pool pools poor pope popularity
    population porcelain pork port portable portal portfolio portion portrait pose position positive possession
    possible post postdoc poster posterior posting posture potassium potato potential pottery poultry pound
    poverty powder power practical practice prairie praise prayer precedent precision precursor predator
    prediction preference prefix prejudice premature premise premium prenatal preschool presence present preserve
    presidency president press pressure prestige prevalence prevention preventive prey price pride priest primary
    prime primitive prince principal principle principles print printer prior priority prison prisoner privacy
    private privilege prize probable probe problem procedure proceeding proceeds process processing produce
    producer product production profession professor profile profit prognosis program programme progress project
    projection prom prominence prominent promise promotion proof prop propaganda property prophecy prophet
    proportion proposal propulsion prose prospect prospects prosperity prostate protection protective protein
    protest protocol proton prototype provider province provincial proving provision provisions prow prowess
    proximity proxy psoriasis psychology public publisher publishing pull pulp pulse pump pumpkin punch punishment
    pupil puppy purchase purity purple purpose pursuit push puzzle pyramid python quad quality quantity quantum
    quart quarter quartz queen query quest question queue quiet quit quiz quotation race rack radar radial
    radiation radical radio radius raid rail railroad railway rain rainbow rainfall rainforest rainwater raise
    rally ramp range rank ranking ransom rapid rash rate rating ratio rational rationale reach reaction reactive
    reactor read reader reading real realism reality realm rear reason rebel rebellion recall receiver reception
    receptor recess recession recharge recipe recipient record recording recount recovery recreation recruit
    rectangle recurrence recycling redemption reduction reef reference referral refinement reflex reform refuge
    refugee refusal refuse regard regime regimen regiment region regional register registry regression regret
    regular regulation regulator reign rein reject rejection relation relations relative relativity relaxation
    relay release relevance reliance relic relief religion religious remainder remains remark remedy reminder
    removal rendering renewable renewal rent rental repair repeat repertoire repetition reply report reporter
    reporting repository republic reputation request rescue research researcher reserve reservoir residence
    resident residual residue resilience resin resistance resistant resistor resolution resonance resort resource
    respect respects response rest restaurant resting result resume retention retina retinal retirement retrieval
    return reusable reuse revel revelation revenge revenue reverence reverse review reviewer revision revival
    revolt revolution reward rhetoric rhyme rhythm rice ride ridge rifle rigor ring rinse rise risk ritual rival
    river road robot robotics rock rocket role roll roller romance romantic roof room root rope rose rotation
    rotor rounds rout route router routine rover royal rubber ruin ruins rule ruler ruling runner running runoff
    rupture rural rush rust sacrifice safe safeguard safety sage sail sailing saint salad salary sale salinity
    saliva salmon salt salvation sample sampling sanction sanctuary sand sandstone sanitation satellite satire
    saturation sauce save savings saying scalar scale scaling scalp scan scandal scanning scar scarcity scare
    scatter scattering scenario scene scent schedule schema scheme scholar school science scientist scissors
    sclerosis scope score scoring scrap scratch screen screening script scripture scroll scrub scrutiny sculpture
    seafood seal seam search season seat second secondary secret secretary secretion sect section sector security
    sedentary sediment seed segment seizure selection selenium self sell seller semester semi seminar sender
    senior sensation sense sensitive sensor sentence sentiment separation sequence sequencing serial series
    serpent serum servant serve server service serving session setting settlement setup seventh seventy severity
    sewage sewer shad shade shadow shaft shake shale shame shape shark shear shed sheep sheet shelf shell
    shellfish shelter shield shift shifting shine ship shirt shock shoe shoot shooting shop shopping shore
    shoreline short shortage shot shoulder shout show showcase shower shred shrimp shrink shrub shuttle sibling
    sick side siege sight sigma sign signal signaling signature silence silica silicon silk silly silver
    similarity simple simplicity simulation sine singer single sink sinus sister site sitting situation sixty size
    skeleton skeptic skepticism sketch skill skin skip skull sleep slice slide slight slip slot smart smell smile
    smoke smoking smoother snack snake snap snapshot snippet snow soak soccer social socialism socialist society
    sociology socket soda sodium software soil solace soldier sole solid solidarity solitary soluble solution
    solvent song sorrow sort soul soup source sovereign soybean space spacecraft spacing spam span spare spark
    spat spawn speaker spear special specialist specialty species specific specimen spectral spectrum speech speed
    spell spelling sphere spice spider spike spill spin spinach spinal spine spiral spirit spiritual spite split
    splitting spoke sport sports spot spouse spray spread spring spur squad squash squeeze stability stable stack
    staff stage stain stair stake stamp stance stand standard standing standpoint staple star starch start startup
    starvation state statement static station statistic statistics status statute stay stead steady steal steam
    steel steer stem step sterile stern stew stick stigma stimulus sting stir stirring stitch stock stomach stone
    stop storage store storm story stove strain strand stranger strategy straw stray stream streaming street
    strength stress stretch stride strike string striving structure struggle stub stuck student studio study stuff
    stunt sturdy style subject submarine submission subset substance substitute substrate success succession
    successor such suffering suffix suffrage sugar suggestion suit suite sulfate sulfur summary summer summit
    sunlight sunscreen sunset sunshine superior supervisor supplement supplier support supremacy surf surface
    surge surgeon surgery surname surplus surprise surrender survey survival suspect suspense suspension suspicion
    swallow swap sway sweat sweep sweet swelling swift swim swimming swine swing switch switching sword syllabus
    symbol symbolic symbolism symmetry sympathy symptom syndrome syntax synthesis synthetic syrup system tablet
    tack tackle tact tail tailor take taking tale talent talk tang tangible tank tape tapping target tart task
    taste taxation teacher teaching team teamwork tear teaspoon technique technology teen teenager telephone
    telescope television temper temple temporal temporary tendency tender tendon tennis tense tension tensor tent
    tenure term terminal terrain territory test testament testimony testing text textbook textile texture theater
    thee theft theme theology theorem theory therapist therapy thermal thesis theta they thigh thing things think
    thirst this thought thousand thread threat threshold throat throne throw thumb thunder thyroid tick ticket
    tide tiger tile till tilt timber time timer timing tire tissue title tobacco toddler toilet token tolerance
    toll tomato tomb tone tong tongue tool tooth toothpaste topic topical topography topology torch tornado torque
    tort toss total touch tough tour tourism tourist towel tower town toxic toxicity toxin trace tracing track
    tract traction trade trademark tradition traffic tragedy trail train trainer training trait trajectory
    transcript transfer transform transient transistor transit transition transplant transport trap trapping trash
    trauma travel travels tray tread treasure treat treatment treaty tree trench trend trial triangle tribal tribe
    tribute trick trigger trillion trim trip triumph troops trouble trout truck trump trust truth tsunami tube
    tuber tuition tumor tumour tuna tune tunnel turbine turf turkey turmeric turmoil turn turning turnover tutor
    tutorial twin twist type typing ulcer ultra ultrasound umbrella uncle underscore unequal uniform union unit
    unity universal universe university unknown unrest update upgrade upload upper uprising upset upside uptake
    uranium urge urgency urging usage user utility vacation vaccine vacuum validation validity valley valuable
    value valve vapor variable variance variant variation variety vault vector vegan vegetable vegetarian
    vegetation vehicle vein velocity vendor vent venture venue verb verbal verse version vertebra vertex vertical
    vessel vest veteran veterinary viability viable vibration vice vicinity victim victory video view viewer
    viewpoint vigil vigilance vigor village vine vinegar vintage viol violation violence virtue virus visibility
    visible vision visit visitor visual vitality vitamin vocabulary vocal voice void volatile volcano volt voltage
    volume voluntary volunteer vomiting vote voter vowel voyage wage waist wait wake waking walk wall wand want
    ward ware warehouse warfare warm warmer warmth warning warrant warrior wart wartime waste wastewater watch
    water watershed wave wavelength wealth wealthy weapon wear weather wedding week weekend weighing weight
    welcome welding welfare western wetland whale wheat wheel while whit white whole whom whose widow width wife
    wildlife wind winding window wine wing winner winter wipe wire wireless wiring wisdom wish witch withdrawal
    wolf woman wonder wood woodland wool word work worker workflow workforce working workout workplace worksheet
    workshop world worm worry worship worth worthy wound wrap wrapping wreck wrist writ writer writing writings
    yard yarn year yeast yellow yield yoga yogurt young youth zero zinc zone
    """.split()
)
FREQUENT_ADJECTIVES = tuple(
    """
    able absorbed absurd abundant acceptable accepted accredited accurate achievable acidic acoustic acquired
    actionable actual acute adaptable adapted adaptive addictive additional adjacent adjustable adjusted admitted
    advanced adverse advisable advised aerobic aerospace aesthetic affecting affordable afraid aged agile airborne
    akin algebraic alive alkaline allied altered amazing ambient ambiguous ambitious amino ample analogous
    analytic analytical anatomical ancestral angry angular anonymous anxious apparent appealing applicable applied
    aqueous arbitrary arid armed artificial artistic asleep assuming assured athletic atomic attached attempted
    attractive audio auditory autoimmune automated automotive autonomous available avid aware awesome awful
    awkward bacterial balanced bald barren based basic beautiful becoming behavioral benign biased biblical
    bilateral binocular biological biomedical bitter bizarre blessed blocked bold bonded boolean boring born
    bounded bright brittle broadband broke broken brutal buried cancerous candid canonical capable cardio careful
    catalytic causal cautious celestial cellular centered ceramic certain certified chaotic charged charitable
    cheap civic civil classical clever climatic closed cloudy coarse coastal cognitive coherent cohesive collected
    colorful committed communal comparable compelling competent completed compliant composed comprised compulsory
    conceptual concerned concerted concise concurrent conducive conductive confident confined confused congenital
    connected conscious considered consistent contagious contained contextual continual continuous controlled
    convenient convex convinced convincing corporate correlated cortical cosmic costly countless courageous crazy
    creamy credible critical crowded crucial cruel cubic culinary cultivated cultural cultured cumulative curious
    curved customary cute damaging dangerous dated daunting deceased decent deciduous decisive decorative
    dedicated defensive definite definitive delicate delicious delightful demanding democratic dense depressed
    descended deserved desirable desktop desperate destined detached detailed detectable determined devoid devoted
    different difficult digital diligent diplomatic dire directed disastrous discrete diseased disparate
    disruptive distant distinct distracted disturbing divergent diverse doctoral done dormant dramatic drawn dried
    driven driving dumb dusty dying dynamic eager earthly eastern ecological economic economical educated
    effective efficient electoral electric electrical electronic elegant elementary elusive embedded embryonic
    emergent eminent emotional empathetic empirical enabling endless endocrine enduring energetic engaged enhanced
    enigmatic enjoyable enormous ensuing entire equitable eternal eventual everyday evident excellent excessive
    excited exciting exhaustive existing expansive expected expensive explicit expressive exquisite extant
    extended extensive extinct faced factual false familial famous fantastic faraway fatal faulty favorable
    favored favourable fearful fertile feudal fictional fierce fiery financial finite fiscal fitted fixed flawed
    flexible floral fluent fluffy focal fond foolish forbidden foreign forensic forested formal formed formidable
    fortunate fragile fragrant fraudulent friendly frozen fruitful frustrated fungal funny furry fuzzy generous
    genetic genuine geographic geologic geological geometric geothermal gifted gigantic glacial glad global
    glorious going golden graded gradual granular graphical grateful grim grounded guarded guilty habitable
    handmade handy happy hardy harmful harmless harmonious harsh hazardous headed healthy heavenly helpful
    helpless hereditary heroic historic historical holistic holy homemade honest hopeless horrible hostile huge
    humane humid humorous hungry hydraulic hyper identical ignorant illicit immediate immense immersive imminent
    impacted impartial impending implicit important imposing impossible impressive improper inaccurate inadequate
    incapable included inclusive incomplete incorrect increased increasing incredible indigenous indirect indoor
    inert infamous infected infectious infinite inflamed informal informed infrared inherent injected injured
    inline innate inner innovative insightful intact integrated intended intense intensive interested intestinal
    invaluable invisible inviting irrational irrelevant irritable isolated itchy iterative jealous judicial
    judicious juicy justified kinetic large larval lasting latent lazy leafy legal legendary lengthy liable
    liberated licensed lifelong limited limiting linear lingering linguistic literary lively logical logistic
    logistical lone lonely loving loyal lucky lucrative lunar luxurious magical magnetic majestic malicious
    manageable managed mandatory marginal marital maritime marked martial masked massive maternal matt meaningful
    measured mechanical medieval melting memorable mental messy metabolic meticulous migratory mild mindful
    minimal miraculous miserable misleading missing mistaken mixed modest modular moist molecular molten monastic
    monetary monumental moving mucous multi mundane muscular mutual mysterious mystical mythical nasty nationwide
    naval nearby neat nervous nested neural nice nineteenth nocturnal noisy nomadic nonverbal normative noted
    noteworthy notorious nuclear numerical numerous nutritious obese obsolete obvious occasional oceanic offshore
    olfactory ongoing opposed oppressive optical optimal optimistic optional ordered ordinary oriented orthodox
    outdated outdoor outer overt painful paired pancreatic paramount passionate pathogenic patriotic paved
    peaceful peculiar pediatric penal pending performing periodic perpetual persistent persuasive pert pertinent
    pervasive pivotal placed planetary playful pleasant pleased pleasing plentiful poetic pointed poised poisonous
    polished polite political popular porous posed possessed postal potent powdered powerful pragmatic precious
    predatory predictive preferable preferred prepared prevailing prevalent previous prim printable pristine
    privileged proactive procedural productive proficient profitable profound prolific prolonged pronounced proper
    prophetic prosperous pseudo pulmonary pure qualified rainy rampant random rare readable realistic reasonable
    recent receptive recurrent reddish redundant refined reflected reflective refreshing registered regulatory
    related relational relaxed relentless relevant reliable reliant reluctant remarkable remote renal renowned
    repeated repetitive reputable reserved resigned resilient respectful respective responsive rested restricted
    retired revealing revised rewarding rhetorical rhythmic rich ridiculous righteous rigid rigorous ripe risky
    robotic robust rocky rooted rotational rounded rude rugged sacred salty same sandy sanitary satisfying
    saturated scary scattered scenic scholarly scientific scored seamless seasonal secular segregated seismic
    selective selfish semantic seminal sensory septic sequential serious settled several severe shiny silent
    similar simplistic simulated sincere singular situated skeletal skeptical skilled slender slippery societal
    soft solar solemn soothing sorry southern sparse spatial spherical spicy splendid spotted stainless statewide
    stationary statutory steadfast stellar sticky strained stranded strange strategic stressful strict striking
    stringent strong structural structured stubborn studied stunning stylistic subjective subsequent subtle
    suburban successful successive sudden sufficient sugary suitable sunny superb supportive supposed supreme
    surgical surprising surreal suspended suspicious sustained swollen synonymous systematic systemic tactical
    talented tasty taxonomic technical tedious teenage temperate terrible textual thematic thorough thoughtful
    tidal timeless timely tiny tired titled tolerant tragic traumatic tremendous triangular tricky tried trivial
    tropical troubled turbulent twisted typed typical ubiquitous ultimate unable unaffected unaware uncertain
    unchanged unchecked unclear uncommon underlying undue unemployed unethical uneven unexpected unfair unfamiliar
    unforeseen unhappy unhealthy unintended unique united unjust unlike unlikely unlimited unnoticed unpleasant
    unreal unrelated unreliable unsafe unseen unstable unsure untouched untreated unused unusual unwanted
    unwavering unwilling upcoming urban urgent usable used useful useless usual vague vain valid valued varied
    various vascular vast venous verbose versatile vibrant vicious victorious vigilant vigorous violent viral
    virtual vital vivid vocational volcanic vulnerable wanted wanting wary watery weak wearable weird wholesome
    wicked widespread willing withdrawn wonderful wooden worried worthwhile yellowish yielding
    """.split()
)

"""Words that phrases are made of: everyday verbs with an object, things, and adjectives. All of them are harmless."""

from __future__ import annotations

VERBS = tuple(
    """
    arrange assemble attach bake balance bind borrow braid brew brush build bury button buy carry carve catch chill
    chop clean climb collect colour compare cook copy count cover crush cut decorate deliver describe design display
    divide drag drain draw dress drill drop dry dust embroider empty examine exchange explore fasten feed fetch fill
    film filter find fit fix fold follow frame freeze fry gather glue grate greet grill grind grow guard guide hang
    heat hire hold hug inspect install iron join juggle keep kick knead knit label launch lift light load lock lower
    make mark mash measure melt mend mix model mount move name nail open order organise own pack paint park paste peel
    photograph pick pile pin place plan plant plaster plug polish pour praise prepare press print protect prune pull
    pump push raise read record recycle rent repair replace rescue restore return ride rinse roast roll rotate rub
    sand save scrub sell serve sew shake shape share sharpen sketch slice smell solder sort spin spread squeeze stack
    steam stir store stretch stuff sweep swing taste teach test tie toast trace trade train trim tune turn twist
    unfold unlock unpack varnish visit warm wash watch water wax weave weigh weld whip wipe wrap
    """.split()
)
OBJECTS = tuple(
    """
    accordion acorn aeroplane airport album almond anchor ankle ant antenna apple apricot apron aquarium arch armchair
    arrow artist avocado baby backpack badge bag baker balcony ball balloon bamboo banana bandage banjo banner barber
    barn barrel basin basket bathtub battery beach bead bean bear bed bee bell belt bench berry bicycle biscuit
    blackboard blanket blouse blueberry boat bonnet book boot bottle bowl box boy bracelet branch bread brick bridge
    broom bubble bucket buffalo bulb bus butter butterfly button cabbage cabin cable cactus cage cake calendar camel
    camera canal candle canoe canvas cap captain car card cardigan carpet carrot cart castle cat cathedral cauliflower
    ceiling cellar cello cereal chain chair chapel cheese cherry chess chest chestnut chicken chimney chocolate church
    cinema circle clarinet clock cloth cloud clown coat coconut coffee coin collar comb compass computer cookie
    copper cottage cotton couch cow crab cradle crane crayon cream crown cucumber cup cupboard curtain cushion
    cymbal daisy dancer deck deer dentist desk dessert diamond diary dictionary dinner dish doctor dog doll dolphin
    donkey donut door dough dragon drawer dress drum duck dumpling eagle ear easel egg elephant elevator engine
    envelope eraser factory falcon farm farmer feather fence ferry field fig finger fireplace fish flag flashlight
    floor flour flower flute foal football forest fork fountain fox freezer fridge friend frog fruit furnace garage
    garden garlic gate gift giraffe glass globe glove goat goose grandfather grape grass guitar hairbrush hall hammer
    hammock hamster handkerchief harbour harp hat hedge helicopter helmet hen honey horse hospital hotel house
    hydrant icicle igloo island jacket jam jar jigsaw jug juice jumper kangaroo kettle key keyboard kitchen kite
    kitten knee knot lace ladder ladle lake lamb lamp lantern laptop lawn leaf lemon lemonade letter lettuce library
    lighthouse lily lime lion lizard lobster log lounge magazine magnet mailbox mango map maple marble market mask
    mat mattress meadow medal melon melody menu mermaid microphone microscope milk mirror mitten mop mosaic motor
    mountain mouse muffin mug museum mushroom nail napkin necklace needle nest net newspaper noodle notebook nurse
    nut oak oar office olive omelette onion orange orchard organ otter oven owl oyster paddle painting palace pan
    pancake panda paper parachute parcel parrot pasta path peach peacock peanut pear pearl pebble pen pencil penguin
    pepper piano picnic picture pie pigeon pillow pilot pineapple pipe pizza plate platform plum pocket poem pond
    pony poster pot potato powder printer puppet puppy purse puzzle pyramid quilt rabbit racket radio radish raft
    rail rainbow raincoat raspberry ribbon rice ring river robe robin robot rocket roof rope rose rug ruler saddle
    sail salad salmon sandal sandwich saucepan sausage saxophone scarf school scooter screen screw sculpture seal
    seat seed shawl sheep shelf shell ship shirt shoe shop shovel shower shutter silver singer sink skateboard skirt
    sled sleeve slipper snail snowman soap sock sofa song soup spade sparrow spider spinach sponge spoon square
    squirrel stable stadium stage staircase stamp star station statue stew stone stool stove strawberry street
    submarine suitcase sunflower supper surfboard swan sweater swing table tailor tambourine tank tap tapestry
    tea teacher teapot telescope temple tennis tent theatre thermometer thimble throne ticket tie tiger tile timber
    toaster tomato tool toothbrush torch tortoise towel tower toy tractor train trampoline tray treasure tree triangle
    tricycle trolley trombone trousers trumpet trunk tulip tunnel turkey turnip turtle typewriter umbrella uniform
    vase vegetable vest village vineyard violet violin waffle wagon waist waiter wall wallet walnut wardrobe watch
    waterfall watermelon wheel wheelbarrow whistle window wing wool wreath wrench xylophone yacht yoghurt zebra zipper
    """.split()
)
ADJECTIVES = tuple(
    """
    ancient blue bright broken brown cheap clean cold crooked curly dark dirty dusty empty enormous fancy flat fragile
    fresh frozen giant golden green grey heavy hollow hot large little long metal modern narrow new old orange
    patterned pink plastic plain purple red round rusty sharp shiny short silver small soft square sticky striped
    tall thick thin tiny warm wet white wide wooden woollen yellow
    """.split()
)

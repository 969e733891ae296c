"""The words of the fables: who and what may appear, and small phrases which any plot may use.

RULES is a grammar: "[x|y]" chooses one of its parts, "<name>" is another rule, and "{fact}" is filled in
from what was settled when the story began (see facts() in make_fables.py).
"""


def listed(text: str, mark: str | None = None) -> list[str]:
    """The parts of a table which is written as one text."""
    return [part.strip() for part in text.split(mark)]


# The tables are laid out by hand.
# fmt: off

PRONOUNS = {
    "he": ("he", "his", "him", "himself"),
    "she": ("she", "her", "her", "herself"),
    "it": ("it", "its", "it", "itself"),
}

NAMES = {
    "he": listed("Tom Ben Max Sam Jack Leo Finn Hugo Otto Pip Toby Felix Will Peter Milo Hugh Rob Ned"),
    "she": listed("Anna Lily Rose Mia Ella Nora Clara Daisy Ruby Molly Emma Ida Wendy Lucy Hazel Betty Dora"),
}

PEOPLE = {
    "he": listed("boy boy farmer baker miller sailor shepherd tailor gardener painter potter"),
    "she": listed("girl girl farmer baker weaver teacher gardener cook painter nurse potter"),
}

ANIMALS = listed("""mouse fox rabbit bear wolf goat cat dog duck crow owl frog hedgehog squirrel donkey pig
             pony beaver badger deer goose hare otter mole sheep robin turtle""")

COLORS = listed("red blue green yellow white black brown golden silver grey orange pink")

THINGS = listed("""ball key ring hat bell button lamp cup basket book kite drum scarf spoon whistle brush box
            blanket ribbon comb doll bag feather mirror rope flute jug""")

# What grows on trees and bushes, one and many; what goes into soup; what one has for supper.
FRUITS = [("apple", "apples"), ("pear", "pears"), ("plum", "plums"), ("nut", "nuts"), ("cherry", "cherries"),
          ("peach", "peaches"), ("berry", "berries"), ("fig", "figs"), ("lemon", "lemons")]
ROOTS = listed("carrots onions turnips beans mushrooms potatoes")
TREATS = listed("cakes buns eggs pies pancakes nuts beans potatoes")

MASSES = listed("bread cheese milk corn butter cream rice")

NUMBERS = listed("zero one two three four five six seven eight nine ten eleven twelve")

# What the place is called, how one is there, and how one walks there.
PLACES = [
    ("the river", "by the river", "along the river"),
    ("the forest", "in the forest", "through the forest"),
    ("the hill", "on the hill", "over the hill"),
    ("the pond", "beside the pond", "around the pond"),
    ("the garden", "in the garden", "through the garden"),
    ("the market", "near the market", "across the market"),
    ("the barn", "behind the barn", "past the barn"),
    ("the meadow", "in the meadow", "across the meadow"),
    ("the village", "in the village", "through the village"),
    ("the bridge", "near the bridge", "towards the bridge"),
    ("the lake", "by the lake", "around the lake"),
    ("the mill", "next to the mill", "past the mill"),
    ("the orchard", "in the orchard", "through the orchard"),
    ("the beach", "on the beach", "along the beach"),
    ("the valley", "in the valley", "down the valley"),
    ("the farm", "on the farm", "around the farm"),
    ("the castle", "below the castle", "towards the castle"),
    ("the harbour", "near the harbour", "around the harbour"),
]

SPOTS = listed("""under a stone|behind a tree|in the tall grass|under the bench|beside the path|in a deep hole
    |near the gate|under a bush|between two rocks|in a pile of leaves|under an old cart|behind the wall
    |inside a hollow log|under the stairs|next to the well|below the window|among the flowers
    |in a dark corner|under a wooden bucket""", "|")

BAGS = listed("basket bag sack")

# A question and its answer.
RIDDLES = [
    ("What has one leg and wears green in summer", "tree"),
    ("What runs with you all day and is gone at night", "shadow"),
    ("What grows smaller the longer it gives light", "candle"),
    ("What sings only when it is hit", "bell"),
    ("What goes up the hill and never moves", "path"),
    ("What is full of holes and still holds fish", "net"),
    ("What has a mouth but never eats", "well"),
    ("What opens every door but has no hands", "key"),
]

# Where one sits, and where someone may hide.
SEATS = listed("""under a tree|on the grass|on a low wall|in the shade|beside the path|on a log
    |on a flat stone|on a bench|near the gate""", "|")
HIDEOUTS = listed("""behind a tree|under the stairs|in a pile of leaves|behind the wall|under a bush
    |in the tall grass|under an old cart|inside a barrel|under the bridge""", "|")

# What kind of day it is; what one sees; the same some time later; and how it is when the day ends.
WEATHERS = [
    ("sunny", "the sun was shining", "the sun was still bright", "the sky was still clear"),
    ("rainy", "rain was falling", "the rain was still falling", "the rain had stopped"),
    ("windy", "the wind was blowing hard", "the wind was still strong", "the wind was quiet again"),
    ("snowy", "snow was falling", "the snow was still falling", "the snow lay deep and white"),
    ("foggy", "the fog was thick", "the fog was still thick", "the fog had gone away"),
    ("frosty", "there was ice on the ground", "the ice was still hard", "there were stars in the sky"),
    ("cloudy", "dark clouds hung in the sky", "the clouds were still dark", "the clouds had gone away"),
    ("warm", "the sky was blue", "the sky was still blue", "the air was cool again"),
    ("cold", "the air was clear and sharp", "the air was still cold", "the air was even colder"),
]

# The time of day at the start, and the one when the story ends.
TIMES = [("morning", "evening"), ("morning", "night"), ("afternoon", "evening"), ("afternoon", "night"),
         ("evening", "night")]

RULES = {
    # How a sentence about the hero goes on.
    "He": "{He}|{He}|{A}|Then {he}|So {he}|Soon {he}|After that {he}",
    "Day": "The next [day|morning|evening]|<few> days later|[A|One] week later|The [following|next] week"
           "|One [<warm> |]day, [not long|some time] after that,|Some [days|weeks] later",
    "few": "Two|Three|Four|Five|A few",
    "warm": "warm|cold|grey|bright|quiet|busy|long",
    # Manner.
    "quickly": "quickly|at once|without a word|in a hurry|without waiting|straight away",
    "slowly": "slowly|carefully|with great care|with much care|quietly|very slowly",
    "gladly": "gladly|happily|with joy|with a smile|with a happy laugh|with a song",
    "sadly": "sadly|with a sigh|with a heavy heart|with wet eyes|in silence|without a smile",
    "aloud": "|||| at last| slowly| quietly| after a moment| in a low voice",
    "while": "for a while|for a long time|for an hour|for some time|for a long while|for quite a while",
    # How one feels and how one is.
    "happy": "happy|glad|pleased|full of joy|very happy|so happy|very glad|cheerful|very pleased",
    "sad": "sad|unhappy|sorry|very sad|so sad|close to tears|upset|full of sorrow",
    "tired": "tired|weary|very tired|worn out|sleepy|rather tired|so tired",
    "afraid": "afraid|frightened|scared|full of fear|very much afraid|quite frightened",
    "angry": "angry|cross|very angry|upset|so angry|rather cross",
    "ashamed": "ashamed|sorry|very sorry|full of shame|ashamed of {himself}|truly sorry",
    "nice": "kind|young|friendly|gentle|quiet|cheerful|wise|clever|little|brave|polite|merry|strong",
    "fine": "fine|good|lovely|nice|beautiful|splendid|pretty|wonderful",
    "tall": "tall|old|green|dark|dead|bent|great",
    "path": "road|path|track|lane",
    # What one does.
    "went": "went|walked|hurried|ran|set off|wandered",
    "saw": "saw|found|noticed|spotted|came upon",
    "looked": "looked|searched|looked carefully|felt about|peeped",
    "wept": "wept|cried|sobbed|sighed|began to cry|hid {his} face",
    "laughed": "laughed|smiled|clapped|grinned|danced|jumped for joy|sang a song",
    "liked": "liked|loved|enjoyed",
    "met": "met|came upon|ran into|saw",
    "thanked": "thanked|hugged|kissed|bowed to",
    "errand": "to [look for|gather|find|fetch] [wood|herbs|flowers|water|reeds|straw]"
              "|to [visit|see|help] {his} [aunt|uncle|grandmother|cousin|sister|brother]"
              "|to [rest|sing|think|play] [in peace|a little|for a while]"
              "|to [buy|get] some [bread|salt|flour|tea]",
    "junk": "a dry leaf|a grey stone|an old boot|a sleepy beetle|dust|a white feather|an empty shell"
            "|a broken stick|mud|a rusty nail|a spider|an old bone|a fat worm",
    "beast": "[small|brown|grey|young|fat] [bird|beetle|lizard|snail|moth|butterfly]",
    "did": "slept|sat|rested|hid|waited",
    "everyone": "everyone|everybody|the whole village|the whole town|every neighbour|everyone near and far",
    "Everyone": "Everyone|Everybody|The whole village|Every neighbour|The whole town|All who heard of it",
    "house": "[small|little|quiet|warm|tidy|crooked|pretty|lonely] [house|hut|cottage]",
    "home": "in a <house>|in a <house>"
            "|at the edge of [a|the] [wood|village|town]|on [a small|an old|a quiet] farm"
            "|not far from the [sea|church|mountains|road]",
    "mood": "wide awake|hungry|all alone|a little bored|at home|up early|busy|in a good mood|thirsty"
            "|in no hurry|thinking of [supper|home|nothing at all]|humming a song",
    # Whole sentences which fit between others.
    "scene": "||||A <beast> <did> [nearby|in the grass|on a stone|on a branch|under a leaf|on a fence]."
             "|The <path> was [long|narrow|empty|steep|rough|quiet|long and [steep|narrow|empty]]."
             "|[Nobody|No one] else was [there|about|to be seen|near]."
             "|Far away, a [bell|dog|child|cock|horn] could be heard[ <while>|]."
             "|[Everything|All] was [quiet|calm|peaceful|still] [there|that {time}|around {him}].",
    "still": "||{Still}.|All this time {still}.|Around them {still}.|And {still}.",
    "pause": "|||For a [moment|minute|while] [nobody|no one] [spoke|moved|said a word]."
             "|{A} [thought|wondered] about [it|this|that][ <while>|]."
             "|{B} looked at {a}[ <aloud2>|].",
    "aloud2": "quietly|for a moment|in silence|with wide eyes|without a word|once more",
    # Someone new in the story.
    "SomeB": "{His} friend {b}|{His} neighbour {b}|A {b_new}|A <nice> {b_new}|A <nice> {b_new}",
    "someb": "{his} friend {b}|{his} neighbour {b}|a {b_new}|a <nice> {b_new}|a <nice> {b_new}",
    "SomeC": "A {c_new}|A <nice> {c_new}",
    "somec": "a {c_new}|a <nice> {c_new}",
    # What is said.
    "thanks": "Thank you|Thank you so much|Many thanks|You are <very2> kind|How kind you are"
              "|I will not forget this",
    "very2": "very|so|truly",
    "sorry": "I am [so |very |truly |]sorry|Please forgive me|I was wrong|It was my fault|Forgive me, please",
    "said": "said|said|said|said|said|whispered",
    "answered": "said|said|answered|replied",
    "asked": "asked",
    "cried": "cried|shouted|called|called out",
    "loudly": "||||| loudly| at once",
    # How a story ends.
    "friends": "From [that day|that {time}|then] on, {a} and {b} were [good|close|true|the best of] friends."
               "|{A} and {b} [stayed|were] friends [ever after|for [many|ten] years].",
    "rest": "That {late}, {ended}, and {a} [slept|slept well|slept like a stone|dreamed of {place}]."
            "|When {late} came, {ended}, and {a} [went home|was home again|told <everyone> the story]."
            "|{A} [went|walked|ran] home [<gladly>|{walk}|<slowly>|before {late}|singing]."
            "|That {late} they [ate|had|shared] [a [hot|big|good] supper|{mass} and {foods2}] together."
            "|That {late}, <everyone> [heard|talked] about it.",
    "happily": "<friends>|<rest>|<friends>|<rest>|<rest> <friends>|They both <laughed2>.|",
    "laughed2": "laughed|smiled|laughed <while>|sang all the way home|danced with joy|were <happy>"
                "|went home <gladly>",
    "learnt": "{A} [never|did not] [forgot|forget] that [day|{time}|lesson].",
    "wiser": "<learnt>|From [that day|then] on, {a} was [more careful|much wiser|a better friend]."
             "|{A} [thought|wondered] about [it all|that day|what had happened] <while>."
             "|{A} [went|walked] home <sadly>[, and {ended}|]."
             "|That {late}, {ended}, and {a} [could not sleep|was still awake|lay awake <while>]."
             "|{A} [always|often] remembered that [day|{time}|{wet} {time}][ {at}|].",
    "Moral": "The moral|Remember|Remember this|So it is said|This is true|[Old|Wise] people say|The lesson"
             "|As {b} [often|always] said",
    # How a story begins.
    "opening":
        "[Once|Long ago|Once upon a time|Many years ago], there was a {trait} {a_new} who lived <home>. "
        "[One|On a|One] {wet} {time}, {a} <went> {walk} <errand>."
        "|[One|On a] {wet} {time}, a {trait} {a_new} [wandered|strolled] {walk}[ <errand>|]. <scene>"
        "|It was a {wet} {time}, and {sky}. A {trait} {a_new} [sat|stood|was resting] {at}. <scene>"
        "|A {trait} {a_new} lived {at}[, in a <house>|]. One {time} {sky}[, and {he} was <mood>|]. <scene>"
        "|[Once|Long ago] a {trait} {a_new} [had a <house>|lived] {at}. [It was a {wet} {time}|That {time} "
        "{sky}]. <scene>"
        "|There was once a {trait} {a_new}. {His} [home|house] was {at}. One {time} {sky}. <scene>"
        "|{Sky} [that|one] {time}. A {trait} {a_new} was {at} [<errand>|alone|with nothing to do|all alone]. "
        "<scene>",
}

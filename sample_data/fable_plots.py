"""The plots of the fables: for each, its hero's nature, what happens, and what it teaches.

The text uses the grammar of fable_words.py. The hero is a, the friend b, a third one c; {he}, {his} and {him}
are the hero's, {b_he} and {c_he} the others'. '@b "Words."' makes b say the words, " / " ends a paragraph.
"""

from typing import NamedTuple


class Plot(NamedTuple):
    """One kind of story; the traits of its hero and the morals are alternatives."""

    title: str
    traits: str
    text: str
    morals: str


# The plots are laid out by hand.
# fmt: off
PLOTS = [
    Plot("A lost thing is found by two", "young|careless|cheerful|busy|merry", """
        {A} had a {color} {thing}, and {he} [<liked> it|was proud of it|took it everywhere|never lent it to
        anyone]. But [that {time}|on the way|after an hour] the {thing} was [gone|lost|nowhere to be seen].
        <He> <looked> {spot2}, but [it was not there|there was only <junk>|{he} found only <junk>]. [{He}
        <looked> {spot3} and found <junk>.|{He} <looked> {spot3} too.|] @a "[Where is|Who has seen|Has someone
        taken] my [{color} |]{thing}?"
        / <SomeB> [heard {him}|came by|stopped to help]. @b "[Do not cry|Do not worry|Be calm]. [Let us
        look|We will look|I can help you look] [together|again]." They looked [everywhere|high and low|up and
        down] <while>. <still> [Then|At last|In the end] {b} <looked> {spot}, and there was the {color}
        {thing}. @b "[Look, here it is|Here is your {thing}|I have it|I found your {thing}]!" <pause> {A} was
        <happy> and <thanked> {b}. <happily>
        """, "two pairs of eyes are better than one|what one cannot find, two may find"
             "|a friend makes every search shorter"),
    Plot("Food shared, and the kindness returned", "kind|poor|gentle|good|humble", """
        {He} had {n} {foods} [in a {bag}|for supper|for the day|to eat]. {At2} {he} <met> a <nice> {b_new} who
        [looked <sad>|had nothing to eat|was thin and <tired>]. @b "[I have not eaten|I have had no food]
        [since yesterday|for two days|all day]." {A} [thought <while>|did not wait|smiled]. @a "[Please
        take|You may have|I can give you] {m} {foods}." So {he} gave {b} {m} {foods} and had {rest_foods}
        left. @b "<thanks>." They sat {seat} and ate [happily|slowly|side by side|with joy]. <still>
        / <Day> {a} [was ill and could not work|had no food left|was hungry and all alone]. [There was a knock
        at the door.|Someone called {his} name.|{He} heard steps.|] It was {b}, with {twice} {foods} and some
        {mass}. @b "[You were kind to me, so I am kind to you|You shared with me, and now I share with you]."
        They [ate|shared] it all, and {a} was <happy>. <happily>
        """, "a kind act is never lost|what you give away may come back|those who share are never poor"),
    Plot("Too much in one basket", "greedy|hungry|selfish|proud|fat", """
        {At2} {he} <saw> a <tall> tree [full of|heavy with] {foods}. @a "[All of them are|Every one is]
        [mine|for me]!" {He} picked {n} {foods} and put them in {his} {bag}.
        / <SomeB> [came by|saw it|stopped]. @b "[May I have|Will you give me] [one|just one|one or two|{m}
        {foods}]?" @a "[No|Never|Certainly not]. [Find your own|I need them all|They are mine]." <pause> <He>
        [picked|took] {m} more, and now {he} had {sum} {foods}. @b "[That {bag} will break|Take less|Be
        careful]." But {a} [only laughed|did not listen|went on <quickly>]. <scene> [Near home|On the
        <path>|At the gate] the {bag} broke, and the {foods} [fell|rolled] into [the mud|a ditch|a deep
        hole|the water]. {A} [looked everywhere|cried|tried to catch them], but {he} [could not save one|lost
        them all|had none left]. @a "[If I had taken less, I would have some now|I wanted all, and I have
        none|I should have shared]." <wiser>
        """, "those who want all may lose all|enough is better than too much"
             "|the greedy often go home hungry"),
    Plot("The race", "proud|quick|vain|fast|young", """
        {A} told <everyone> that {he} was the fastest [of all|in the land|in the world|far and wide]. @a "[No
        one|Nobody] can [run like me|beat me]!" [A neighbour, a <nice> {b_new},|A <nice> {b_new}] [was tired
        of it|smiled|heard this]. @b "[Let us race|I will race you] to {place2}." {A} [laughed|laughed
        <while>|nodded]. @a "You are [too|far too|much too] slow."
        / <Everyone> came to [watch|see it]. @b "[One, two, three|Ready, steady], go!" {A} [ran off|was off]
        like [the wind|an arrow]. Soon {he} was far [ahead|in front]. <scene> @a "I have [plenty of|so much]
        time." {He} [sat|lay] down {seat}[, ate {m} {foods}|] and fell asleep. {B} [did not stop|never
        stopped] and [walked|went] on [<slowly>|with a small smile]. <still> When {a} [woke up|opened {his}
        eyes], {b} was [already|almost] {at2}. {He} ran [as fast as {he} could|<quickly>], but it was too
        late. <Everyone> [cheered|clapped] for {b}. @b "[You are fast, but I did not stop|I was slow, but I
        went on]." <wiser>
        """, "slow and steady steps go far|the one who does not stop arrives|pride sleeps while others walk"),
    Plot("The narrow bridge", "stubborn|proud|strong|rude", """
        {He} came to a [narrow|small|thin] bridge over [a stream|a ditch|deep water]. In the middle {he} <met>
        a [stubborn|proud|rude] {b_new}. @b "[Go back|Let me pass|Get out of my way]!" @a "[No, you go back|I
        was here first|Never]!" Neither of them would [move|step back|give way]. They [pushed|stood
        there|shouted] <while>. <still> {A} was <angry>, and {b} was <angry> too.
        / Then <somec> came [by|to the bridge|along]. @c "[The first to step back is|The one who steps back
        is] the [wiser|cleverer] one." They [did not listen|only shouted louder|would not hear it]. [A
        board|The old wood|The bridge] [cracked|broke], and both fell into the [cold|deep|dark|brown] water.
        {C} threw down a [long|strong|thick] rope and pulled them out [<slowly>|one by one]. They sat {seat},
        [wet and cold|wet and <tired>]. @a "[Next time I will let you pass|We were both foolish]." @b "[And I
        will step back too|We were both wrong]." <happily>
        """, "to give way is often the shortest way|two stubborn heads get wet|the wiser one steps back"),
    Plot("The small helper", "small|little|tiny|weak|shy", """
        [Someone called for help.|{He} heard a [cry|voice|shout].|A cry came from {place2}.] A <nice> {b_new}
        was caught in [an old net|a trap|a deep pit]. @b "[Help me|Please help|Get me out]!" {A} was <afraid>,
        but {he} [came closer|did not run away|went there <quickly>]. @a "[I am small, but I will try|I will
        do what I can|Do not move, I will help]." <He> [pulled at|worked at|worked on] the ropes <while>,
        [until they broke|<slowly>, until one broke]. <scene> [At last|In the end] {b} was free. @b "<thanks>.
        [One day I will help you|Call me if you need me]." @a "[That is kind|We shall see|It was nothing]."
        / <Day> {a} was {at2}, and {he} was in trouble. [A [huge|wild|hungry] dog chased {him}.|{He} fell into
        the water.|A [big|heavy] branch fell on {him}.] {He} called {b}, and {b} came [running|<quickly>|like
        the wind] and saved {him}. @a "[Now we are even|You kept your word|<thanks>]." <happily>
        """, "a small friend can be a great help|no one is too small to help|help is never too small"),
    Plot("The roof mended too late", "lazy|idle|sleepy|careless", """
        There was a [hole|big hole|long crack] in {his} roof. {His} [friend|neighbour] {b} saw it. @b "[You
        should mend it|Mend that roof] [today|now|soon|before the next storm]." @a "[Why should I|What for]?
        [There is plenty of time|It can wait|I am busy]." {He} [sat|lay] down {seat} and [slept <while>|ate
        {m} {foods}|ate some {mass}|sang <while>]. <scene> <Day> {b} came [again|back]. @b "Is your roof
        [mended|dry|ready]?" @a "[Not yet|No, not today|I will do it tomorrow]."
        / That night a [great|wild|dark|terrible] storm came. The water ran through the roof. {His}
        [bed|floor|coat|table] was wet, {his} {color} {thing} was wet, and {his} {mass} was
        [gone|spoiled|cold]. {A} ran to {b} [in the dark|<quickly>] and knocked. @a "[May I come in|Can I stay
        here|Will you help me]?" {B} [opened the door|let {him} in] <gladly> and gave {him} {mass}. @b
        "[Tomorrow we will mend it|I told you so]." [The next day|In the morning|When the storm was over] they
        mended it together, and it took only {n} hours. <wiser>
        """, "do today what you will need tomorrow|a small hole is mended soon, a big one late"
             "|later may be too late"),
    Plot("The false alarm", "bored|foolish|young|silly", """
        {A} [was looking for fun|had nothing to do|wanted some fun]. @a "[Help, help|Come quickly]! [The barn
        is on fire|A wolf is here]!" <Everyone> ran [to {place}|there] <quickly>, but there was [nothing at
        all|only <junk>]. {A} laughed <while>. <SomeB> was <angry>. @b "[That was not funny|Do not do that
        again|Never lie to us]." <Day> {a} did it again. @a "Help! [Come|Hurry|Save me]!" [They|The people]
        came, and {he} laughed [again|at them].
        / <Day> there was [real|true] danger. [A [thin|grey] wolf came out of the trees.|Smoke rose over
        {place3}.] @a "[Help, help|Please help me|Come quickly]!" [No one|Nobody] came. @b "[It is only {a}
        again|That is only a joke|I do not believe it]." {A} ran up a <tall> [tree|tree|oak|pine] and
        [shook|wept]. [{He} sat there|{He} had to stay there] [all night|until {late}|<while>], [cold and
        wet|hungry and cold|<afraid>]. At last {b} came to look. @b "[Why did you lie|Do you see now why we
        did not come]?" @a "<sorry>. [I will never lie again|From now on I will tell the truth]." <wiser>
        """, "a liar is not believed when he tells the truth|lies cost more than they give"
             "|trust is easy to lose"),
    Plot("The seed which needs time", "young|eager|small|hopeful", """
        {A} [found|was given|bought] a [small|brown|round|tiny] seed. {He} put it in the ground {at2}. [{He}
        gave it water.|{He} sang to it.|{He} waited.] <Day> nothing [had come up|could be seen]. @a "[Why does
        it not grow|Is it dead|Is it asleep]?" <SomeB> [smiled|came to see]. @b "[Give it time|You must wait|A
        seed grows slowly]. [Give it water every day|Do not dig it up]." So {a} [gave it water|looked at it]
        every [day|morning|evening] [for {n} weeks|and waited <gladly>]. <pause>
        / [Then one morning|At last] there was a [thin|small|tiny] green leaf. @a "[Look, look|It lives|It
        grows]!" The leaf became a [plant|bush|small tree], and [it grew and grew|in summer it was tall]. In
        the [autumn|next year] it had {n} {foods} on one side and {m} {foods} on the other. [{A} counted them
        <slowly>.|{A} counted <while>.] That made {sum} {foods}. {He} gave {m} to {b} and [kept|had] {n}. @b
        "[You waited well|They are sweet|<thanks>]." <happily>
        """, "good things need time|who can wait will eat well|water and time do great work"),
    Plot("The broken thing and the truth", "young|clumsy|quick|wild|careless", """
        {His} friend {b} [had a|had a very old|loved a] {color} {thing}. @b "[Please do not touch it|Be
        careful with it]." [But when {b} was away|But one {wet} day|While {b} slept], {a} took the {thing} and
        played with it. [It slipped.|It fell.|{He} let it fall.] It hit [a stone|the floor|the wall] and
        [broke|was broken]. {A} was <afraid> and hid it {spot}. <scene>
        / [That {late}|Later] {b} came [home|back]. @b "Where is my [{color} |]{thing}?" @a "[I do not know|I
        have not seen it|Perhaps a thief took it]." {B} looked [everywhere|<while>] and was <sad>. {A} could
        not [eat|sleep|smile|look at {b_him}]. [In the morning|At last|After an hour] {he} went to {b}
        <slowly>. @a "I broke it. [It is|It lies] {spot}. <sorry>." <pause> @b "[I am <sad>, but you told the
        truth|The truth is worth more than a {thing}|A {thing} can be mended]." They [mended it|put it
        together] [with glue|with string|<slowly>], and it was [almost|nearly] as good as new. <happily>
        """, "the truth mends more than it breaks|a fault told is half mended"
             "|a lie is a heavy thing to carry"),
    Plot("Counting what one has", "careful|tidy|poor|honest", """
        {He} had {n} {foods} in a {bag}. [{He} counted them twice.|{He} had counted them.] {At2} {he} <saw>
        {m} more {spot}. @a "{N} and {m} make {sum}." {He} was <happy>, for {sum} {foods} were enough [for a
        week|for a feast|to sell].
        / Then <someb> came [by|along the <path>], [<sad>|close to tears]. @b "I have lost {m} {foods}. [Have
        you seen them|Did you find them]?" <pause> {A} [looked at|thought of] {his} {sum} {foods}. [No one had
        seen {him}.|It was hard to give them back.|] @a "[Yes, they were|I found them] {spot}. [Here, take
        them|They are yours]." So {he} gave {m} back and had {n} again. @b "[How honest you are|<thanks>].
        [Come to supper|Come and eat with me]." At the house of {b} there was {mass}, {mass2} and a big {food}
        pie. They ate <while>. <still> @b "[I lost {m}, but I found a friend|An honest friend is worth more
        than {n} {foods}]." <happily>
        """, "what is not yours, give back|honest hands are never empty|to be honest is to be rich"),
    Plot("A gift made with care", "poor|shy|kind|clever|quiet", """
        It was the birthday of {his} friend {b}, and {a} had no [money|gift|present]. @a "What can I
        [give|bring] {b_him}? [I have only an old {thing}|I own nothing but an old {thing}]." {He} [thought
        <while>|walked up and down]. {He} asked <somec>. @c "[A gift need not be new|Make it pretty|Use your
        hands]." <He> [washed|cleaned] the {thing}[, mended it|] and painted it {color}. [It took {n}
        days.|{He} worked <while>.] <still>
        / [In the {late}|That {late}] <everyone> came to {b}. [One|{C}] brought {n} {foods}, [one
        brought|another brought|and one had] a [big|new|fine] {thing2}. {A} was [shy|<ashamed>]. @a "[It is
        only an old {thing}|Mine is small|I made it myself]." {B} [opened|took] it <slowly> and [looked at it
        <while>|said nothing at first]. <pause> @b "[It is the best gift of all|I love it|You made it for
        me]!" {B} put the {color} {thing} [on the table|by the bed|over the door|next to the lamp] for all to
        see. <happily>
        """, "a gift is as big as the love in it|what the hands make, the heart gives"
             "|love makes old things new"),
    Plot("The stranger in the storm", "poor|kind|lonely|good", """
        [Late that {late}|That night|That {late}] a [great |wild |terrible |]storm came, and there was a knock
        at the door. A [wet|cold|thin|tired] {b_new} stood [there|outside]. @b "[May I come in|Can I sleep
        here|Is there room for me]?" {A} had [little|only one bed|only some {mass}], but {he} [opened the
        door|let {b_him} in] <gladly>. @a "[Come in and get warm|Sit by the fire|You are welcome here]." {He}
        gave {b_him} {mass} and {m} {foods}. [The guest ate <slowly>.|They talked <while>.] {A} [slept on the
        floor|gave {b_him} the bed]. [All night the wind [blew|howled].|The storm went on all night.]
        / In the morning {b} was gone. [On the table|By the door|On the chair] lay {n} gold coins and a
        {color} {thing}. [There was a letter with it.|There was a note.] It said: ["You opened your door to
        me. Now I open my hand." |"You asked for nothing, so I give you this."|"For the {mass}, the {m}
        {foods} and the kind words."] {A} was <happy>, [and|but] {he} kept {his} door open to <everyone>. [{A}
        often thought of that night.|{He} told <everyone> about that night.|{He} never saw {b} again.|]
        """, "an open door lets good luck in|be kind to strangers|a warm fire is for sharing"),
    Plot("The noise in the night", "timid|young|nervous|small", """
        That night {a} heard a [strange|loud|soft|terrible] noise. [Tap, tap, tap|Bump, bump|Scratch,
        scratch], it went. @a "[What is that|Who is there|Is it a ghost|Is it a wolf]?" [No one
        answered.|Nothing answered.|It went on.] {He} was <afraid> and ran to {his} friend {b}. @a "There is a
        [monster|giant|ghost|robber] [near my house|at my door]!" @b "[Let us go and see|I will come with
        you]." {B} took a [lamp|stick|candle], and they went [out|back]. [The <path> was dark.|It was very
        dark.|There was no moon.] @a "Can you hear it?"
        / The noise came again, [louder than before|quite near|three times]. {B} held up the light and
        <looked> {spot}. There [sat|was] [only |]a <beast> [in|on|behind|beside] a {color} {thing}. It [was
        stuck|wanted to get out|was <afraid> too]. @b "[Here is your [monster|ghost]|This is what you heard|It
        is more afraid than you]." {A} [laughed <while>|had to laugh|gave it some {mass}]. They [let it go|set
        it free] <quickly>. @a "[In the dark small things are big|I was afraid of nothing|It was so small]."
        <happily>
        """, "fear makes small things big|look before you run|a light is the end of many fears"),
    Plot("The bad trades", "foolish|simple|cheerful|young", """
        {He} had a {color} {thing}, but {he} wanted [something better|something else|a new thing]. [On the
        <path>|Near {place2}|After an hour] {he} <met> a <nice> {b_new} with a {color2} {thing2}. @b "[Give
        me|I want] your {thing}, and you [may have|get] my {thing2}." {A} [nodded|agreed] <quickly>. @a "[What
        a <fine> {thing2}|Now I have a {color2} {thing2}|I am so clever]!" <scene>
        / {At3} {he} <met> <somec> with {n} {foods}. @c "[Would you like|Do you want] {n} {foods} for that
        {thing2}?" [{A} was hungry.|The {foods} [looked|smelled] good.] So the {thing2} was gone, and {a} had
        {n} {foods}. {He} ate {m} of them {seat}, and then {he} had {rest} left. <still> [{He} gave them away
        for some {mass}.|{He} gave the rest to a dog.|{He} lost the rest on the <path>.] At home {he} had
        nothing [at all|left|in {his} hands]. @a "[This morning|Before], I had a {color} {thing}." [{He}
        looked at the empty table.|{He} <wept>.|{He} shook {his} head.] <wiser>
        """, "think before you trade|who always wants more may end with less|keep what you love"),
    Plot("The cart in the mud", "strong|proud|busy", """
        {He} [had|was pulling] a cart full of {foods}. In the mud {at2} a wheel [stuck fast|sank|would not
        turn]. {A} [pulled|pushed] and [pushed|pulled] <while>, but the cart did not move. <scene> <SomeB>
        came by. @b "[Do you need help|Can I help you|Shall I help]?" @a "[No, I am strong|No, I can do it
        alone|You are too small]." <He> tried again. It was no use.
        / [Now|Then] <somec> came too. @c "[One is weak, but three are strong|Let us all push|Let us try
        together]." [{A} was too [tired|weak|sad] to say no.|This time {a} said yes.|{A} looked at the mud and
        nodded.] @b "One, two, three, [push|pull|now]!" The wheel [moved|turned] a little. <still> They
        [tried|pushed] once more, and the cart [rolled|came] out of the mud. {A} gave {m} {foods} to {b} and
        {m} {foods} to {c}. That was {twice} in all. @a "<thanks>. [Alone I would still be there|I should have
        said yes at once]." <happily>
        """, "many hands make a cart light|the strong need friends too|it is no shame to be helped"),
    Plot("The riddle", "clever|bright|curious|young", """
        <Everyone> came to {place2}, for a wise {b_new} [had|was asking] a riddle. @b "[Whoever answers|The
        one who answers] will get [my {color} {thing}|{n} {foods}|a {color} {thing}]." <scene> @b "{riddle}?"
        [Nobody knew it.|They all thought <while>.|It was very quiet.] <SomeC> [was the first to try|tried
        first]. @c "Is it [a horse|a stone|the sea|a king|a cloud|a fish]?" @b "[No, it is not|No, try
        again]." [A boy|A girl|Someone] said it was [bread|gold|a bell|an egg], but that was wrong too.
        / {A} [sat|stood] {seat} and [thought|looked about] <while>. [{He} saw the {answer}.|{He} looked at
        the {answer}.] @a "[Now I know|I have it]! [It is|It must be] the {answer}!" <pause> @b "[That is
        right|Yes, the {answer}]. [You used your eyes|You looked, and they only talked]." <Everyone>
        [clapped|cheered]. {A} was <happy> and shared the prize with {c}. <happily>
        """, "look well, and you will know|the answer is often near|think first, then speak"),
    Plot("Learning takes practice", "young|shy|small|eager", """
        {A} wanted to [play the flute|sing|dance|whistle|swim|paint], but {he} could not do it [well|at all].
        The first time [it was terrible|it went wrong|<everyone> laughed]. @a "[I will never learn|It is too
        hard for me]." {His} friend {b} [heard this|shook {b_his} head]. @b "[Try again|Try a little every
        day|No one learns in a day]." So {a} tried [every morning|every day|each evening], [{at2}|{seat}|all
        alone]. <scene> On day one it was bad, on day two it was [bad|still bad], and on day {n} it was
        [better|not so bad]. [{He} was often <tired>.|Sometimes {he} was <sad>.] But {b} [came to listen|came
        to watch|brought {him} {mass}].
        / [{N} weeks later|In the spring|In the summer] there was a feast {at3}. <Everyone> was there. {A} was
        <afraid>, but {he} [stood up|began] <slowly>. <pause> [Nobody laughed|No one laughed] now. They
        [clapped|cheered] <while>. @b "[You did it|How good you are now|That was <fine>]!" @a "[I only did a
        little every day|You told me to try again]." <happily>
        """, "a little every day becomes a lot|no one learns in a day|try again, and then again"),
    Plot("Two who want the same thing", "stubborn|selfish|quick|proud", """
        {A} and {his} friend {b} [saw|found] a {color} {thing} {spot}. @a "[It is mine|I saw it first]!" @b
        "[No, it is mine|No, I saw it first|I touched it first]!" They [pulled|shouted|argued] <while>.
        <still> <SomeC> [heard the noise|came by|was passing]. @c "[Why do you fight|What is the matter]?"
        They told {c_him} [everything|all]. @c "[I will hold it|Give it to me] until you [agree|are calm]."
        {C} [took|held] the {thing} and [waited|sat down].
        / [But they argued on|They did not agree|They shouted again] until {late}. When they turned round, {c}
        was gone, and the {color} {thing} was gone [too|as well]. @a "[Now we have nothing|See what we have
        done]." @b "[We could have shared it|We could have taken turns|We only thought of ourselves]." <pause>
        [The next day|In the morning] {c} came back with [it|the {thing}]. @c "[Have you learnt it|What will
        you do now]?" @a "[We will share it|It belongs to both of us]." So {a} had it [for {n} days|in the
        mornings], and [then it was the turn of {b}|after that {b} had it]. <happily>
        """, "when two fight, a third one wins|half is better than nothing|share it, or lose it"),
    Plot("The letter which must arrive", "brave|young|faithful|quick", """
        <SomeC> gave {him} a letter for {his} friend {b}, who lived {at2}. @c "[Bring it|It must be there]
        before {late}. [Do not stop|Hurry]." {A} put it in {his} {bag} and [ran|set off] <quickly>. <scene>
        [First|{At3}] {he} saw [a tree full of {foods}|some {foods}], and {he} was hungry. But {he} [did not
        stop|went on]. Then [someone called {him}|{he} heard music]: there was a [feast|dance] {at3}. {He}
        wanted to stay, but {he} [did not|ran on]. [Then a deep stream was in the way.|Then a wall was in the
        way.|Then the <path> was lost in the grass.] <still> @a "[I gave my word|They count on me|I must not
        stop]." {He} [found a way|went on] <slowly>.
        / [Just before {late}|When {late} came], {he} [knocked at the door|was {at2}]. {B} [opened|read] the
        letter <quickly>. @b "[There will be a flood tonight|The river will rise tonight|A great storm is
        coming tonight]!" {B} [rang the bell|woke <everyone>|called <everyone>], and they all went up the
        [hill|mountain] in time. [The water came|It came] at [night|midnight], but [no one|nobody] was hurt.
        @b "[You saved us all|You did not stop]." <happily>
        """, "a promise is a <path> without rest|those who keep their word can be trusted"
             "|first the work, then the feast"),
    Plot("Soup for the sick", "kind|busy|gentle|cheerful", """
        That {time} {his} friend {b} did not come. @a "[Where is {b}|Is {b} ill]?" {A} <went> to see. {B} lay
        in bed and was [hot|pale|weak]. @b "[My head hurts|I am so weak|I cannot get up]." @a "[Stay in
        bed|Lie still|Do not worry]. I will [make|cook] you some [hot |]soup." {He} had {n} {roots}, and
        <somec> [gave|brought] {him} {m} more, so {sum} {roots} went into the pot. [{He} put in some {mass}
        too.|{He} added salt.|It smelled good.] The soup cooked <while>. <still>
        / {B} ate one spoon, then [two|another], then all of it. @b "[That is good|It is warm and
        good|<thanks>]." {A} [stayed all night|told {b_him} a story|sang to {b_him}|sat by the bed]. <scene>
        <Day> {b} was [well|strong] again and [ran|danced] {walk}. @b "[It was the soup|Your soup was the
        best|I feel strong now]!" @a "[It was only soup|I am glad]." <happily>
        """, "care is the best soup|a friend at the bed is half the cure|kind hands make us well"),
    Plot("A day at the market", "poor|honest|hopeful|young", """
        {A} went to the market to sell {sum} {foods}. {He} wanted to buy a {color} {thing}, which cost {sum}
        coins. @a "[Buy my {foods}|Fresh {foods}|Good {foods}]!" [Nobody came <while>.|At first no one
        stopped.] <scene> <SomeB> bought {n} {foods} and gave {him} {n} coins. [@b "[They are sweet|They look
        good|What good {foods}]."|@b "These are <fine> {foods}."|] <SomeC> [bought|took] the other {m} and
        [gave|paid] {him} {m} [more |]coins. <still> @a "{N} and {m} make {sum}. [It is enough|I can buy it]!"
        / [But then|On the way to the shop] {he} <met> {his} cousin, who had lost every coin and was <sad>.
        {A} [looked at|counted] the coins <while>. [{He} gave {m} coins away.|{He} gave away {m} of them.] Now
        {he} had {n}, and the {thing} [cost too much|had to wait]. {B} had seen it [all|from far away] and
        [came back|followed {him}]. @b "Here are {m} coins. [A good heart should not be poor|You gave, and so
        I give]." So {a} [got|had] the {color} {thing}. <rest>
        """, "a good heart is worth more than coins|who gives is never poor for long"
             "|kindness is seen from far away"),
    Plot("Borrowed and not given back", "careless|lazy|forgetful|thoughtless", """
        {A} needed a {thing} and went to {his} friend {b}. @a "[Can|May|Could] I have your {thing}? I will
        bring it back [tomorrow|soon]." @b "[Of course|Yes], but [do not lose it|be careful with it]." It was
        a [good|new] {color} {thing}. {A} used it <while> and [left|forgot] it {spot}. [It lay there for {n}
        days.|It got wet.|It got dirty.] <scene>
        / <Day> {a} needed a {thing2}. {He} [went|ran] to {b} again. @a "[Can|May|Could] I have your
        {thing2}?" @b "[No, I am sorry|Not today]. You still have my {color} {thing}." {A} was <ashamed>.
        <pause> {He} went home and <looked> {spot2}, but [it was not there|{he} found only <junk>]. {He}
        [thought|looked] <while>. At last {he} [remembered|looked again] and found it {spot}. {He}
        [washed|cleaned] it <slowly> and took it back. @a "<sorry>. [Here is your {thing}|I forgot your
        {thing}], and here are {n} {foods} [too|for you]." <still> @b "[Now you may have the {thing2}|I am not
        angry any more|Thank you. Take the {thing2}]." <happily>
        """, "what you borrow, bring back|the one who returns may ask again|a borrowed thing has a way home"),
    Plot("The bird in the cage", "rich|lonely|sad", """
        {A} had a {color} bird in a [golden|silver|small|wooden] cage. The bird [did not sing|never sang|was
        silent]. {He} gave it [seeds|bread|water], {foods} and a [bell|mirror], but it [looked out|sat still]
        [all day|<while>]. @a "[Why do you not sing|What do you want|Are you not happy here]?" <SomeB> came
        [by|to visit]. @b "[It wants the sky|A bird needs the wind|It cannot fly in there]." <pause> @a "But
        [I love it|it is mine|I will be alone]."
        / {A} [could not sleep|lay awake] [that night|<while>]. <scene> In the morning {he} [opened|unlocked]
        the cage <slowly>. The bird [sat|waited] a moment. Then it flew [over|above] {place} and was
        [gone|only a small dot]. {A} was <sad>. But [one morning|some days later|a week later] there was a
        song [at the window|in the garden|on the roof]. The {color} bird was back, and it sang <while>. {He}
        put some [seeds|bread] [on the roof|at the window|in the garden] for it. @b "[Now it is your friend|It
        came because it wanted to]." <rest>
        """, "love needs an open door|a free bird sings best|what you set free may come back"),
    Plot("Trading places", "unhappy|young|restless|dreamy", """
        {A} [thought|said] that the life of {his} friend {b} was [much better|easier]. @a "You [only sit
        {at2}|rest all day|have it easy], and I work." @b "[And I think you have it easy|My life is hard too].
        Let us [change places|trade] for [a|one] day." So {a} went to {place2}, and {b} stayed {at}. [First|In
        the morning] it was fun. {A} [ate {m} {foods}|sang] and <laughed>. <scene> [Then the work began.|Then
        it was time to work.] {He} had to carry {n} [bags of flour|bags of {foods}|buckets of water]. [Then
        {he} had to [clean|wash] {m} pots.|{He} dropped {m} pots.] By {late} {he} was <tired> and <sad>.
        / And {b}? {B} [had burned|had spoiled] the {mass}, [broken a {thing}|lost a {thing}] and
        [fallen|slipped] into the {color} paint. They met [half way|on the <path>|at the gate]. @a "[How do
        you do it every day|Your work is so hard]!" @b "[I want my own work back|And yours is hard too]." They
        [looked at each other|stood there] and laughed <while>. <still> [Each went home <gladly>.|They went
        home <gladly>.] <happily>
        """, "the work of others looks easy|every life has its load|walk one day in the shoes of others"),
    Plot("Lost in the fog, home by the bell", "young|curious|careless|small", """
        {A} [went|wandered] too far, all the way to {place2}. @a "[Only a little more|Just to that tree|I know
        the way]." <scene> [Then it grew dark|Then a thick mist came], and {he} could not see the <path>.
        [Every tree looked the same.|All was grey.] {He} [turned left|turned right], and [came back to|saw]
        the same [old tree|big stone] [again|twice|{m} times]. @a "[Is anyone there|Can anyone hear me|Which
        way is home]?" [No one answered.|Only an owl answered.] {He} was <afraid>.
        / At home {his} friend {b} [waited|looked out] <while>. @b "[It is late|Something is wrong]." {B} took
        a [big|old] bell and rang it. {B} rang it {n} times, [then waited|stopped], and rang it {m} times
        more. <still> {A} [heard|could hear] it, [far away|very soft|faint and clear]. {He} [went|walked]
        [to|after] the sound <slowly>. [Louder and louder it became|It grew louder], and then {he} saw a
        [light|lamp|lit window]. @b "[There you are|At last]!" @a "[I heard the bell|Your bell brought me
        home]. <thanks>." <happily>
        """, "a friend is a bell in the fog|know the way before you go"
             "|someone who waits is a light in the dark"),
    Plot("The biggest pumpkin", "proud|clever|eager|busy", """
        There was a prize for the [biggest|largest] pumpkin {at2}. {A} grew one, and {his} neighbour {b} grew
        one too. Every day {a} looked over the wall. The pumpkin of {b} was [bigger|a little
        bigger|rounder|growing fast]. One night {a} took a knife and [went there|climbed over] <quickly>, to
        [cut|spoil] it. <scene> But {he} heard {b} talk [in the house|at the window]. @b "I hope that {a}
        wins. [No one works so hard|It is time]." {A} stood still and was <ashamed>. {He} [went home|put the
        knife away] <quickly>. {He} [lay awake|could not sleep].
        / [Then the great day came.|The day of the prize came.] <Everyone> [looked|waited]. <SomeC> weighed
        [each one|them all]. [{A} won, and {b} clapped the loudest.|{B} won, and {a} clapped the loudest.|They
        were both the same, so both won.] @a "I must tell you something. [I wanted to cut yours|I was in your
        garden that night]. <sorry>." <pause> @b "[But you did not do it|You stopped, and you told me]. [Come
        and eat with me|Let us make soup of them]." <happily>
        """, "it is never too late to stop|win well, or do not win at all"
             "|envy is a knife that cuts its own hand"),
    Plot("The feast which was missed", "sleepy|lazy|slow|dreamy", """
        The next morning <someb> came to {him}. @b "There is a feast {at2} today. [Come at noon|Do not be
        late|You must come]." @a "[Yes, I will be there|I would not miss it|Of course]." But [the bed was
        warm|{he} was <tired>], and {he} [slept|lay] on. At [ten|eleven] {he} [opened one eye|woke up]. @a
        "[There is time|Only a little longer]." {He} slept again. <scene> At noon {he} [turned over|dreamed of
        {foods2} and {mass}|dreamed of cakes]. At three {he} [got up|looked for {his} hat] <slowly>. [{He}
        looked {spot}.|{He} ate {m} {foods} first.|{He} stopped to look at a <beast>.] <still>
        / When {he} came to {place2}, the tables were empty. There was only [one {food}|a crumb of {mass}|an
        empty plate] left. @b "[We waited for you|There were {n} {foods} for you|You are too late]." {A}
        [<wept>|was <sad>|looked at the ground]. @a "[I dreamed of the feast and missed it|It is my own
        fault|Next time I will get up]." <pause> @b "[Come next week|There is another feast soon]." And next
        time {a} was the [first|very first] to come. <learnt>
        """, "a dream of supper fills no one|late guests find empty plates|get up when the day calls"),
    Plot("The small box and the big box", "humble|modest|poor|quiet", """
        {A} helped a [weak|tired|lame] {b_new} to [carry wood|mend a wall|find the way|cross the water].
        <scene> @b "[You have a good heart|You helped me]. Take one of these boxes." One was big and {color},
        one was small and {color2}. {A} [thought|looked at them] <while>. @a "[The small one is enough|I
        helped for nothing, so I take the small one]." At home {he} opened it <slowly>. [In it|Inside] were
        {n} gold coins and a {thing}. {He} was <happy>.
        / {His} neighbour {c} heard of it and [ran|hurried] to {place}. {C} helped {b} too, but [not well|only
        a little]. @c "[Now give me a box|I want the big box|The big one is mine]!" {B} [smiled|nodded|said
        nothing]. <still> {C} [carried|pulled] the {color} box home [<slowly>|with great trouble]. [But in
        it|But inside] there was only [mud|dust|sand] and <junk>. {C} was <angry>. @a "[Take {m} of my
        coins|Here are {m} coins for you]." So {c} had {m}, and {a} kept {rest}. @c "<thanks>. [I asked for
        too much|Next time I will help first]." <rest>
        """, "small boxes can hold great things|help first and ask later|the modest choose well"),
    Plot("The promise kept", "faithful|brave|loyal|honest", """
        {A} had promised to [come to|visit] {his} friend {b}, who was all alone {at2}. {A} took {n} {foods}
        and a {color} {thing}. <SomeC> [saw {him}|stood at the gate]. @c "[Stay at home|Do not go today]. It
        is [too far|a long way]." @a "[I gave my word|A promise is a promise|{B} is waiting for me]." {He}
        [went on|set off] {walk}. <scene> [The <path> was hard.|{His} feet hurt.|{He} fell twice.] On the way
        {he} lost {m} of the {foods}. <still> @a "[It is not far now|One more step|I must not turn back]."
        {He} rested once, {seat}, and went on <slowly>.
        / {B} [stood|sat] at the window. @b "[No one will come today|Perhaps I must eat alone]." Then there
        was a knock. @b "[You came|It is you|You are here]!" {A} put {rest_foods} and the {color} {thing} on
        the table. @a "[I had {n} {foods}, but the <path> took {m}|There were {n}, but I lost {m}]." They
        laughed <while>. @b "[The best gift is that you came|I would be happy with none at all]." <happily>
        """, "a promise is a promise|the true friend comes in any weather|a word given is a debt"),
    Plot("Soup from many pots", "hungry|poor|clever|cheerful", """
        {A} had a [big|black|large] pot and water, but nothing to [cook|eat]. {He} made a fire {at}. <SomeB>
        came by. @b "What are you cooking?" @a "[Soup|A soup for all]. But it needs some {roots}." @b "I have
        {n} {roots}. [Can I join you|May I have some too]?" So {n} {roots} went into the pot. <scene> Then
        came <somec>. @c "[What smells so good|Is that soup]?" @a "It is [soup for all|soup|my soup], but it
        needs [a little|some] {mass}." {C} [ran home|went away] and [brought|came back with] some {mass} and
        {m} more {roots}. That made {sum} {roots}. [The children|The neighbours] came too, [one with salt|one
        with corn], [one with a bone|one with herbs] and one with {foods2}.
        / {A} [stirred|tasted] <slowly>. @a "[It is ready|Now it is good|Come and eat]!" <still> They all sat
        {seat} and [ate|talked] <while>. @b "[I never had such good soup|This is the best soup of my life]."
        @a "[I had only water|I brought the pot, you brought the soup]." <happily>
        """, "many small gifts make a feast|one brings water, all bring soup|together we eat well"),
    Plot("Hide and seek", "merry|young|clever|small|cheerful", """
        {A} and {his} friends {b} and {c} played hide and seek {at2}. @b "[You must look for us|You count
        first]!" <scene> {A} closed {his} eyes and counted to {sum}. {B} hid {hide}, and {c} hid {hide2}. @a
        "[I am coming|Here I come]!" <He> <looked> {spot3}, but there was only <junk>. Then {he} [saw|heard]
        [something|a small noise] {hide}. @a "[I see you|I have found you]!" @b "[You are good at this|I was
        too loud]."
        / Now they both looked for {c}. <still> They looked {spot2} [and everywhere|and up and down], but they
        could not [find|see] {c_him}. [{A} grew <afraid>.|{B} was <afraid>.] @a "[Come out|You have won]! [We
        give up|Supper is ready]!" <pause> But no answer came. At last they [looked|went] {hide2}. There lay
        {c}, fast asleep [on|beside] a {color} {thing}. @c "[Is it my turn|Who won|Did I win]?" They all
        laughed <while>. <happily>
        """, "who sits still is hard to find|the best place to hide is a quiet one"
             "|play fair, and all will laugh"),
    Plot("The spilled milk", "hasty|busy|quick|eager|dreamy", """
        {A} carried a [big|full|heavy] jug of milk to {place2}. {His} friend {b} walked with {him}. @b "[Go
        slowly|Look at the <path>|Do not run]." @a "[I must be quick|I have no time]. I will sell the milk for
        {n} coins. Then I will buy {m} hens." [{He} smiled and walked faster.|{He} looked up at the sky.|{He}
        began to dance.] <scene> @a "[They will lay eggs|The hens will have chicks]. I will sell them and buy
        a {color} {thing}[, and a {color2} {thing2}|]." @b "[First carry the milk|Look where you go|One thing
        at a time]." But {a} did not [look|listen]. <still>
        / Then {his} foot hit [a stone|a root], and {he} fell [flat|down|over]. The milk ran [into the
        grass|over the <path>]. {A} <wept>. No milk, no {n} coins, no {m} hens and no {color} {thing}! A
        <beast> drank [a little|what was left]. @b "[Come, I will help you up|Are you hurt|Do not cry over
        milk]." @a "[I ran too far ahead|I saw the {thing}, but not the stone]." <Day> {he} walked <slowly>
        and looked at the <path>, and not a drop was lost. <wiser>
        """, "count the coins when you have them|quick feet spill the milk"
             "|look at the road, then at the sky"),
    Plot("The shadow", "timid|small|young|nervous", """
        That {time} {he} saw something dark [behind {him}|on the wall|at {his} feet]. When {he} ran, it ran
        too. @a "[Go away|Leave me alone|Who are you]!" It did not [answer|speak|go]. {He} hid {hide}
        <quickly>, but it [waited|was there too]. {A} ran to {place2} and met {his} friend {b}. @a
        "[Help|Please hide me]! Something [black|dark] is after me. [It has my shape|It is so big]." {B}
        looked [and laughed|and smiled]. @b "[That is|It is] only your shadow. [Look, I have one too|Everyone
        has one]." <pause>
        / {B} took a [lamp|candle] and held it [up|high]. [The shadow grew small.|The shadow grew long.] {B}
        made a [bird|dog|fish|rabbit] with the shadow on the wall. {A} [laughed|clapped|tried it too]. <scene>
        @a "[Can mine do that|How do you do it]?" They made {n} shapes, and then {m} more. That was {sum} [in
        all|together]. {A} was not <afraid> any more. @a "[It is only a dark friend|I ran from myself]."
        <happily>
        """, "some fears are only shadows|what you know you need not fear|turn around and look"),
    Plot("The shy newcomer", "shy|quiet|new|lonely", """
        {A} was new {at}, and {he} had no friends. {He} [saw|watched] a {b_new} and a {c_new} play with a
        {color} {thing}. {He} wanted to [play|ask], but {he} was <afraid>. {He} [sat|stayed] {seat} and said
        nothing. <scene> [Every day|For {n} days] it was the same.
        / Then the {thing} [fell|flew] [into the water|over the wall|into a tree]. @b "[Oh no|It is gone|We
        cannot get it]!" @c "[We have lost it|It was our best {thing}]." They were <sad>. <still> {A} came out
        <slowly>. @a "[I can get it|I know a way|Let me try]." {He} [took a long stick|climbed up] and worked
        <while>. [Once {he} almost fell.|It took {m} tries.] Then {he} had it. @a "Here is your {thing}."
        <pause> @b "<thanks>! [Who are you|What is your name|Where do you live]?" @c "[Why did you never play
        with us|Come and play with us]!" They [played|ran and laughed] until {late}. @a "[I should have
        asked|I was only shy]." <happily>
        """, "one small word can open a door|ask, and you may find a friend"
             "|a friend may sit just behind the wall"),
]

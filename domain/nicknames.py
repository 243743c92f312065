"""Short and familiar forms of given names, and what a name's spelling cannot tell: titles, particles, common names.

Written by hand for the names of offices in Europe, the Americas and Asia; one group a line, in no order of worth.
"""

# ruff: noqa: SIM905  # long lists of words read better as one text
from types import MappingProxyType

GROUPS = """
alexander alex aleksandr aleksander alexandre alessandro alejandro sasha sacha xander sandy alec lex
alexandra alex sasha sandra alexa lexi
alexei aleksey alexey alyosha
andrew andy drew andrei andrey andreas andre andres andrea
anthony tony antonio anton toni
anna ann anne annie anya ana hannah
arthur art artur
barbara barb babs
benjamin ben benny benji
bartholomew bart
bernard bernie bernhard
bradley brad
catherine katherine kathryn katarina kate katie kathy cathy cat kat katja katya
charles charlie chuck carl karl carlos chas
christopher chris christoph kris topher kit
christian chris
christina christine chris tina chrissy kristina
cynthia cindy
daniel dan danny
david dave davey davide
deborah deb debbie debra
dennis denis denny
dmitry dmitri dima dmitrii
donald don donnie
dorothy dot dottie
douglas doug
edward ed eddie ted ned eduard eduardo
edwin ed
eleanor ellie nell nora
elizabeth liz lizzie beth betty eliza elisabeth lisa elsa bess
emily em emmy
eric erik erich
eugene gene yevgeny evgeny evgeni
florence flo
francis frank francesco francisco franz francois paco pancho
frederick fred freddie friedrich fritz frederic
gabriel gabe
geoffrey geoff jeff jeffrey
george georg jorge giorgio georges
gerald gerry jerry
gregory greg grigory
guillermo memo
harold harry hal
henry hank harry henri heinrich enrique hal
ignatius ignacio nacho
isabella isabel bella izzy
ivan vanya
jacob jake jakob
james jim jimmy jamie jaime
janet jan
jennifer jen jenny jenn
jeremy jem
jessica jess jessie
joanna jo joan joanne
johannes hans johann jan john
john jack johnny jon juan jean giovanni ian sean
jonathan jon jonny john
joseph joe joey jose josef giuseppe pepe
joshua josh
judith judy
kenneth ken kenny
kimberly kim
konstantin kostya
lawrence larry laurence lorenzo
leonard leo len lenny leon
louis lou luis luigi lewis ludwig
magdalena magda lena
margaret maggie meg peggy greta marge margarita daisy
maria mary marie masha mia
mark marc marcus markus marco
martin marty
matthew matt matthias mateo matteo
maximilian max maxim maksim
megan meg
melissa mel lissa
michael mike mick mickey mikhail michel miguel misha mikey michal
michelle shelly
mohammed mohammad muhammad mohamed mehmet mo
nancy nan
natalia natalie natasha nat
nathan nat nate nathaniel
nicholas nick nicolas nikolai nicky niklas nico
nikita nick
olga olya
oliver ollie olivier
pamela pam
patricia pat patty trish
patrick pat paddy padraig
paul pablo paolo pavel
peter pete pedro pierre petr piotr
philip phil phillip philippe felipe
raymond ray
rebecca becky becca
richard rick dick rich ricky richie ricardo
robert bob rob bobby robbie bert roberto
roderick rod
ronald ron ronnie
rosemary rose rosie
russell russ
salvatore sal
samantha sam sammy
samuel sam sammy
sarah sally sara
sebastian seb bastian
sergei sergey serge sergio
simon si
sophia sofia sophie
stephen steven steve stefan stephan esteban stefano
stephanie steph
stuart stu
susan sue susie suzanne susanna
svetlana sveta
tatiana tanya
theodore ted teddy theo
theresa terry tess teresa
thomas tom tommy tomas
timothy tim timmy
tobias toby
valentina valya
veronica ronnie
vasily vasya vassili
victor vic viktor
victoria vicky tori vika
vincent vince vinny
vladimir vlad volodya volodymyr
walter walt wally
william bill will billy willy liam guillaume wilhelm wim
yaroslav jaroslav
yuri jurij iurii yury
zachary zach zack
"""
TITLES = frozenset(
    "mr mrs ms miss mx dr prof professor sir dame lord lady rev reverend hon herr frau monsieur madame mme mlle senor"
    " senora sr jr ii iii iv president minister chancellor king queen prince princess general colonel captain major"
    " sheikh shaikh shaykh haji hajji imam ayatollah phd msc mba md esq ing dipl prasident".split()
)
PARTICLES = frozenset(
    "al el bin ben ibn bint abu von van de der den del della di da du la le dos das ter zu y e".split()
)
COMMON_FAMILY = frozenset(
    "smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson"
    " anderson thomas taylor moore jackson martin lee perez thompson white harris clark lewis robinson walker young"
    " allen king wright scott hill green adams baker hall evans roberts cooper kim park choi wang li zhang liu chen"
    " yang huang zhao wu zhou singh kumar sharma patel gupta khan ahmed ali hussain muller schmidt schneider fischer"
    " weber meyer wagner becker rossi russo ferrari silva santos oliveira ivanov petrov dubois bernard nguyen tran"
    " jensen hansen andersson johansson de jong jansen kowalski nowak suzuki sato tanaka nielsen larsen olsen"
    " karlsson eriksson vries bakker visser novak horvat nagy kovacs popescu ionescu ivanova petrova smirnov popov"
    " kuznetsov bianchi romano ricci colombo sanchez ramirez torres flores rivera gomez diaz cruz pereira costa souza"
    " ferreira almeida durand leroy moreau simon laurent lefebvre roux hoffmann schulz koch bauer richter klein wolf"
    " neumann schwarz cohen levy hassan hussein ibrahim mohamed abdullah yilmaz demir kaya rao reddy das shah jain"
    " mehta verma mishra iyer yadav lin xu sun ma zhu guo he lu jung kang cho yamamoto watanabe ito nakamura"
    " kobayashi kato pham le hoang huynh turner parker collins edwards stewart morris murphy cook rogers morgan reed"
    " bailey bell ward cox richardson wood watson brooks bennett gray hughes price myers long ross foster mitchell"
    " phillips campbell carter nelson ramos reyes kelly".split()
)
COMMON_GIVEN = frozenset(
    "john james robert michael david william richard joseph thomas charles mary jennifer linda elizabeth susan sarah"
    " karen lisa anna maria peter paul mark daniel andrew george chris christopher kevin brian steven matthew jose"
    " juan luis carlos antonio ahmed ali mohammed muhammad wei ming jun min raj amit rahul anil priya hans jan lars"
    " ivan alexander sergei martin stefan andreas emma laura alice bob jane jack sam tom ben max nick alex marco luca"
    " paolo giulia francesca joao jean pierre marie sophie camille erik anders ingrid lena julia hannah lukas felix"
    " jonas hiroshi takashi yuki kenji akira fatima aisha omar hassan ibrahim yusuf mehmet mustafa piotr pawel tomasz"
    " katarzyna olga elena natalia irina dmitry pavel igor thi van minh anh hyun jin yong xin yan ying jing lei yang"
    " rohit sanjay vijay ravi deepak neha pooja sunil lucy grace jessica ashley amanda melissa nicole patricia"
    " barbara sandra emily rachel kate claire oliver henry harry charlie ryan jason justin scott eric adam simon ian"
    " neil pedro miguel javier diego carmen ana lucia pablo fernando rafael".split()
)
SURNAMES = frozenset("king queen prince lord major general bishop ing".split())
"""Titles that are families' names where they stand last."""


def _index() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for place, line in enumerate(GROUPS.split("\n")):
        for name in line.split():
            found.setdefault(name, set()).add(str(place))
    return {name: frozenset(places) for name, places in found.items()}


FAMILIES = MappingProxyType(_index())
"""The groups that a given name belongs to."""


def is_nickname(one: str, other: str) -> bool:
    """Return whether two given names, folded, are forms of one: `bill` and `william`."""
    return bool(FAMILIES.get(one, frozenset()) & FAMILIES.get(other, frozenset()))

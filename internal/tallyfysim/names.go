package tallyfysim

// A name is a made-up given or family name and how it is spelt in an address.
type name struct{ text, handle string }

// A tongue is a set of names that go together. All of them are invented:
// families are called after weather, tools and places that do not exist.
type tongue struct {
	given, family []name
}

var tongues = []tongue{
	{ // Latin
		given:  []name{{"Merrin", "merrin"}, {"Tobiah", "tobiah"}, {"Elspet", "elspet"}, {"Corwyn", "corwyn"}, {"Isaura", "isaura"}, {"Dunstan", "dunstan"}, {"Wrenna", "wrenna"}, {"Osric", "osric"}},
		family: []name{{"Tarnwick", "tarnwick"}, {"Brindlecot", "brindlecot"}, {"O'Fallowmere", "o'fallowmere"}, {"Quillhaven", "quillhaven"}, {"Ostermoor", "ostermoor"}, {"Van der Kwast-Molen", "vanderkwastmolen"}, {"Hollowbrook-Pyke", "hollowbrook-pyke"}},
	},
	{ // Latin with diacritics
		given:  []name{{"Žofka", "zofka"}, {"Håvren", "havren"}, {"Ágotka", "agotka"}, {"Łucjan", "lucjan"}, {"Zoëlle", "zoelle"}, {"Þórny", "thorny"}, {"Nguyệtly", "nguyetly"}, {"Öznil", "oznil"}},
		family: []name{{"Větrníček", "vetrnicek"}, {"Sjøbrekke", "sjobrekke"}, {"Kőszirtvári", "koszirtvari"}, {"Mgłowiejski", "mglowiejski"}, {"Düsterwaldß", "duesterwaldss"}, {"Çamdağlı", "camdagli"}, {"Peñascura", "penascura"}},
	},
	{ // Cyrillic
		given:  []name{{"Велимира", "velimira"}, {"Ярогост", "yarogost"}, {"Снежелина", "snezhelina"}, {"Тихослав", "tikhoslav"}, {"Їжанка", "yizhanka"}},
		family: []name{{"Ветродуева", "vetrodueva"}, {"Камнелесский", "kamnelessky"}, {"Росопад", "rosopad"}, {"Щуковатый", "shchukovaty"}, {"Ґанковець", "gankovets"}},
	},
	{ // Greek
		given:  []name{{"Ανεμώνα", "anemona"}, {"Θαλασσινός", "thalassinos"}, {"Λυχνίς", "lychnis"}, {"Πετρόφιλος", "petrophilos"}},
		family: []name{{"Βροχοπούλου", "vrochopoulou"}, {"Ανεμομυλίδης", "anemomylidis"}, {"Ψαροκάικος", "psarokaikos"}},
	},
	{ // Arabic
		given:  []name{{"ندى", "nada"}, {"غيهب", "ghayhab"}, {"سحابة", "sahaba"}, {"ريحان", "rayhan"}},
		family: []name{{"البرقاوي", "albarqawi"}, {"الضبابي", "aldababi"}, {"المطرزان", "almatrazan"}},
	},
	{ // Hebrew
		given:  []name{{"טללית", "talalit"}, {"אורניר", "ornir"}, {"שקדונה", "shkedona"}},
		family: []name{{"בן־ערפל", "ben-arafel"}, {"גשמוני", "gishmoni"}, {"סלעיאל", "salael"}},
	},
	{ // Devanagari
		given:  []name{{"मेघिका", "meghika"}, {"अरण्यव", "aranyav"}, {"तुषारिणी", "tusharini"}, {"ज्योत्सिल", "jyotsil"}},
		family: []name{{"पवनपुरी", "pavanpuri"}, {"शिलाधरे", "shiladhare"}, {"कुहासकर", "kuhaskar"}},
	},
	{ // Han
		given:  []name{{"霧嵐", "wulan"}, {"松澗", "songjian"}, {"雨筝", "yuzheng"}, {"𠮷雪", "jixue"}},
		family: []name{{"雲崖", "yunya"}, {"石渡", "shidu"}, {"風閣", "fengge"}},
	},
	{ // Hangul
		given:  []name{{"안개솔", "angaesol"}, {"빗누리", "bitnuri"}, {"서리온", "seorion"}},
		family: []name{{"돌섬", "dolseom"}, {"바람골", "baramgol"}, {"너울", "neoul"}},
	},
	{ // Kana
		given:  []name{{"つゆほ", "tsuyuho"}, {"カザネリ", "kazaneri"}, {"しおみや", "shiomiya"}},
		family: []name{{"いわなぎ", "iwanagi"}, {"キリガサワ", "kirigasawa"}, {"ふぶきだ", "fubukida"}},
	},
	{ // Thai
		given:  []name{{"หมอกฟ้า", "mokfa"}, {"ลมพราย", "lomphrai"}, {"น้ำเพชร", "namphet"}},
		family: []name{{"ผาเมฆินทร์", "phamekhin"}, {"ธารหินงาม", "tharhinngam"}, {"เรือนลมหวน", "rueanlomhuan"}},
	},
}

var domains = []string{"works.test", "works.test", "works.test", "Field.Works.test", "harbour.test", "münster.test"}

var guestDomains = []string{"client.test", "supplier.test", "Agency.test"}

// zones are where seeded users live, with the offset there in winter.
var zones = []struct{ name, offset string }{
	{"UTC", "+00:00"},
	{"Europe/Prague", "+01:00"},
	{"America/New_York", "-05:00"},
	{"Asia/Kolkata", "+05:30"},
	{"Asia/Tokyo", "+09:00"},
	{"America/St_Johns", "-03:30"},
	{"Asia/Kathmandu", "+05:45"},
	{"Pacific/Auckland", "+13:00"},
}

var offsets = func() map[string]string {
	m := make(map[string]string, len(zones))
	for _, z := range zones {
		m[z.name] = z.offset
	}
	return m
}()

var jobs = []string{"", "Planner", "Nurse", "Fitter", "Buyer", "Head of Plant", "Contrôleuse", "Инженер", "班長"}

var teams = []string{"", "North", "South", "Night", "R&D", "Büro", "物流"}

// subjects and sites make the names of groups: every pair is another name.
var subjects = []string{
	"Night shift", "Purchasing", "Onboarding", "Fire wardens", "R&D / Prototypes", "Invoices \"urgent\"", "Early shift",
	"Qualitätssicherung", "Żółta zmiana", "Équipe d'accueil", "Склад", "Бухгалтерія", "Αποθήκη", "المستودع", "مشتريات",
	"מחסן", "गोदाम", "रात की पाली", "倉庫", "夜班", "물류", "ひるしふと", "คลังสินค้า", "🚒 Rescue 👩🏽‍🚒", "Café ☕ committee",
	"Audits 50%_done", "Safety", "Training", "Payroll", "Returns",
}

var sites = []string{
	"", "Aldermoor", "Brackwater", "Čertovina", "Dunhollow", "Eichenstieg", "Fjellvik", "Grauhafen", "Høybukt", "Île-aux-Brumes",
	"Камнеград", "Λευκοράχη", "وادي الضباب", "霧ヶ浜", "Plant B", "Plant C",
}

/* data_words.c */
#include "data_words.h"

#include <stddef.h>

#define LIST(words)                                                                                \
	{                                                                                          \
		words, sizeof(words) / sizeof((words)[0])                                          \
	}

static const char *const first[] = {
	"Ada",      "Noël",    "José",        "Zoë",      "Jean-Luc", "Søren",  "Łukasz", "Nia",
	"Ömer",     "Siobhán", "D'Arcy",      "Mary Ann", "李",       "Михаил", "Αθηνά",  "محمد",
	"François", "Ñusta",   "İpek",        "Ng",       "Björk",    "Chloé",  "Ama",    "Tomáš",
	"Åsa",      "Renée",   "Juan Carlos", "Kofi",     "Ines",     "Wei",
};
static const char *const last[] = {
	"Okafor",       "O'Brien",      "Müller",    "Ångström",  "d'Artagnan",   "Nguyễn",
	"Smith",        "van der Berg", "Çelik",     "Žižek",     "García-López", "Иванов",
	"王",           "Παπαδόπουλος", "St. John",  "N'Diaye",   "Strauß",       "Świątek",
	"Fitz\"Gerald", "Back\\slash",  "Lindqvist", "Hernández", "Kowalski",     "Ó Súilleabháin",
	"Tan",          "Null",         "Yılmaz",    "Dubois",    "Rossi",        "Novák",
};
static const char *const company[] = {
	"Baobab Ltd",
	"Müller & Söhne GmbH",
	"100% Arabica",
	"O'Neil, Sons & Co.",
	"Acme_Widgets",
	"Société Générale d'Été",
	"Ørsted Power",
	"日本商事株式会社",
	"Rocket 🚀 Labs",
	"Tom & Jerry <Ltd>",
	"C:\\Temp Agency",
	"\"Quoted\" Inc.",
	"50% Off Outlet",
	"Globex",
	"Initech",
	"Café Zürich AG",
	"Hooli",
	"Umbrella; Partners",
	"Żabka Sp. z o.o.",
	"Stark Industries",
};
static const char *const title[] = {
	"CTO",
	"Head of R&D",
	"Geschäftsführer",
	"VP, Sales",
	"Ingénieur(e)",
	"CEO & Co-Founder",
	"Purchasing",
	"Owner",
	"Director's Assistant",
	"Señor Developer",
	"Chief 😀 Officer",
	"Analyst",
};
static const char *const city[] = {
	"Lagos",    "Zürich",    "São Paulo", "Kraków",    "'s-Hertogenbosch", "Montréal", "東京",
	"New York", "København", "İstanbul",  "Reykjavík", "Cape Town",        "L'Aquila", "Köln",
};
static const char *const country[] = { "NG", "CH", "BR", "PL", "NL", "CA", "JP",
				       "US", "DK", "TR", "IS", "ZA", "IT", "DE" };
static const char *const street[] = {
	"1 Marina Rd",   "Bahnhofstraße 12", "Rua das Flores, 9\n2º andar",
	"ul. Długa 7/3", "221B Baker St.",   "Stationsplein 1\nGebouw C",
	"P.O. Box 99",   "Nørrebrogade 44",  "Quai d'Orsay 5",
};
static const char *const remark[] = {
	"Called twice; wants an offer by Monday.",
	"Préfère le courriel — ne pas téléphoner après 18 h.",
	"He said: \"50% or nothing\" \\ and hung up.",
	"Très intéressé 😀👍🏽 by the 2nd demo.\n\n- price: 1.200,50 €\n- seats: 40",
	"Tab\there, quote ' there, percent % and under_score.",
	"Zażółć gęślą jaźń. Съешь же ещё этих мягких французских булок.",
	"<b>not html</b> & not &amp; either",
	"Family emoji: 👨‍👩‍👧‍👦, flag 🇳🇬, combining é.",
	"null",
};
static const char *const source[] = {
	"Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other", "Trade Show"
};

static const struct {
	const char *const *words;
	size_t count;
} lists[WORDS_MAX] = {
	[WORDS_FIRST] = LIST(first),     [WORDS_LAST] = LIST(last),
	[WORDS_COMPANY] = LIST(company), [WORDS_TITLE] = LIST(title),
	[WORDS_CITY] = LIST(city),       [WORDS_COUNTRY] = LIST(country),
	[WORDS_STREET] = LIST(street),   [WORDS_REMARK] = LIST(remark),
	[WORDS_SOURCE] = LIST(source),
};

const char *data_word(enum words list, uint64_t which)
{
	return lists[list].words[which % lists[list].count];
}

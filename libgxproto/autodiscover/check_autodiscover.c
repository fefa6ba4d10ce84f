/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked, whom it concerns, and what comes back; without a socket. */
#include <config.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include "libgxproto/emsmdb/emstest.h"
#include "libgxproto/autodiscover/disco-int.h"

static struct gx_http *http;
static struct gx_disco *disco;

static struct gx_disco_opts options(void)
{
	struct gx_disco_opts o = GX_DISCO_OPTS_INIT;
	o.dir = et_people;
	o.pool = et_pool;
	o.exonym = "mail.example.org:8443";
	o.mail_servers = "imaps submission://smtp.example.org:1587";
	o.services = GX_DISCO_EAS;
	return o;
}

static void setup_with(const struct gx_disco_opts *o)
{
	struct gx_http_opts ho = GX_HTTP_OPTS_INIT;
	const char *why = "";
	ck_assert_int_eq(gx_http_new(&ho, &http, et_a, &why), 0);
	ck_assert_msg(gx_disco_new(o, http, &disco, et_a, &why) == 0, "%s", why);
}

static void setup(void)
{
	et_setup();
	const struct gx_disco_opts o = options();
	setup_with(&o);
}

static void teardown(void)
{
	gx_http_free(http);
	gx_disco_free(disco);
	et_teardown();
}

/* ---- Reading ---- */

static int read_text(const char *text, struct disco_request *q)
{
	char *exact = gxtest_exact(text, strlen(text));
	int err = gx_disco__read((struct gx_bin){(uint8_t *)exact, strlen(text)}, et_a, q);
	free(exact);
	return err;
}

#define ASK(inner) "<Autodiscover xmlns=\"" NS_OUTLOOK_REQUEST "\"><Request>" inner "</Request></Autodiscover>"
#define SCHEMA "<AcceptableResponseSchema> " NS_OUTLOOK "\n</AcceptableResponseSchema>"

START_TEST(requests_are_read)
{
	struct disco_request q;
	ck_assert_int_eq(read_text("<?xml version=\"1.0\" encoding=\"utf-8\"?>" ASK("<EMailAddress> a&amp;b@<!-- c -->example.org\n</EMailAddress>" SCHEMA), &q), 0);
	ck_assert_str_eq(q.address, "a&b@example.org");
	ck_assert_str_eq(q.schema, NS_OUTLOOK);
	ck_assert_ptr_null(q.legacy_dn);
	ck_assert_int_eq(read_text("<a:Autodiscover xmlns:a=\"x\"><a:Request><a:LegacyDN>/o=x</a:LegacyDN><a:AcceptableResponseSchema>y"
		"</a:AcceptableResponseSchema></a:Request></a:Autodiscover>", &q), 0);
	ck_assert_str_eq(q.legacy_dn, "/o=x");
	/* what a client of ours asks */
	struct gx_disco_question w = GX_DISCO_QUESTION_INIT;
	w.address = "ann@example.org";
	ck_assert_int_eq(read_text(gx_disco_ask(&w, et_a), &q), 0);
	ck_assert_str_eq(q.address, "ann@example.org");
	ck_assert_str_eq(q.schema, NS_OUTLOOK);
	w.eas = true;
	ck_assert_int_eq(read_text(gx_disco_ask(&w, et_a), &q), 0);
	ck_assert_str_eq(q.schema, NS_PHONE);
}
END_TEST

#define BOMB "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>"

static const char *const bad_requests[] = {
	"", " ", "x", "<", "<Autodiscover", "<Autodiscover/>", "<Autodiscover><Request/></Autodiscover>", "<Other><Request/></Other>",
	ASK(SCHEMA), ASK("<EMailAddress>a@b</EMailAddress>"), ASK("<EMailAddress> </EMailAddress>" SCHEMA),
	ASK("<EMailAddress>a@b</EMailAddress>" SCHEMA) "<more/>", ASK("<EMailAddress>a@b" SCHEMA), ASK("<EMailAddress>&x;</EMailAddress>" SCHEMA),
	BOMB ASK("<EMailAddress>&c;</EMailAddress>" SCHEMA), "<!DOCTYPE Autodiscover>" ASK("<EMailAddress>a@b</EMailAddress>" SCHEMA),
	"<!DOCTYPE x SYSTEM \"file:///etc/passwd\">" ASK("<EMailAddress>a@b</EMailAddress>" SCHEMA),
	"<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>" ASK("<EMailAddress>&f;</EMailAddress>" SCHEMA),
	ASK("<EMailAddress>\xff@b</EMailAddress>" SCHEMA),
};

START_TEST(what_is_no_request)
{
	struct disco_request q;
	ck_assert_int_eq(read_text(bad_requests[_i], &q), GX_E_FORMAT);
}
END_TEST

START_TEST(deep_and_long_requests)
{
	struct disco_request q;
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (unsigned i = 0; i < 20000; ++i)
		gx_strbuf_adds(&b, "<a>");
	ck_assert_int_eq(read_text(gx_strbuf_cstr(&b), &q), GX_E_FORMAT);
	gx_strbuf_clear(&b);
	gx_strbuf_adds(&b, "<Autodiscover><Request><EMailAddress>");
	for (unsigned i = 0; i < 50000; ++i)
		gx_strbuf_addc(&b, 'a');
	gx_strbuf_adds(&b, "</EMailAddress>" SCHEMA "</Request></Autodiscover>");
	ck_assert_int_eq(read_text(gx_strbuf_cstr(&b), &q), GX_E_FORMAT);
	gx_strbuf_release(&b);
}
END_TEST

/* Every truncation is an error, every changed byte is read or is one. */
START_TEST(damaged_requests)
{
	static const char text[] = ASK("<EMailAddress>ann@example.org</EMailAddress>" SCHEMA);
	struct disco_request q;
	char copy[sizeof(text)];
	for (size_t i = 0; i < sizeof(text) - 1; i += 3) {
		memcpy(copy, text, sizeof(copy));
		copy[i] = '\0';
		ck_assert_int_eq(read_text(copy, &q), GX_E_FORMAT);
		memcpy(copy, text, sizeof(copy));
		copy[i] = (char)(copy[i] ^ 1 << i % 8);
		if (copy[i] != '\0')
			(void)!read_text(copy, &q);
	}
}
END_TEST

/* ---- Answers ---- */

static struct gx_http_req request_of(const char *user, const char *name, const char *value)
{
	struct gx_http_field *f = gx_arena_new_obj(et_a, struct gx_http_field);
	*f = (struct gx_http_field){name, value};
	return (struct gx_http_req){.user = user, .arena = et_a, .fields = f, .nfields = name == NULL ? 0 : 1};
}

/* The answer for a mailbox, without the tags that mean nothing; it has to be XML. */
static const char *outlook(const char *address, const char *user, const char *name, const char *value)
{
	const struct gx_http_req r = request_of(user, name, value);
	struct disco_target t;
	struct disco_xml x;
	ck_assert_int_eq(gx_disco__find(disco, address, NULL, user, et_a, &t), 0);
	gx_disco__outlook(disco, &r, &t, NS_OUTLOOK, &x);
	ck_assert_int_eq(x.b.err, 0);
	const char *text = gx_arena_strdup(et_a, gx_strbuf_cstr(&x.b));
	gx_strbuf_release(&x.b);
	xmlDocPtr doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET);
	ck_assert_msg(doc != NULL, "%s", text);
	xmlFreeDoc(doc);
	return text;
}

#define HAS(text, word) ck_assert_msg(strstr(text, word) != NULL, "%s not in %s", word, text)
#define LACKS(text, word) ck_assert_msg(strstr(text, word) == NULL, "%s in %s", word, text)
#define URL(end) "https://mail.example.org:8443/mapi/" end "/?MailboxId="

START_TEST(what_outlook_is_told)
{
	const char *x = outlook("ANN@example.org", "ann@example.org", NULL, NULL);
	HAS(x, "<DisplayName>ann@example.org</DisplayName>");
	HAS(x, "<AutoDiscoverSMTPAddress>ann@example.org</AutoDiscoverSMTPAddress>");
	HAS(x, "<LegacyDN>/o=Gromox default/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=");
	HAS(x, "<Protocol Type=\"mapiHttp\" Version=\"1\"><MailStore><InternalUrl>" URL("emsmdb"));
	HAS(x, "<AddressBook><InternalUrl>" URL("nspi"));
	HAS(x, "@example.org</ExternalUrl>");
	LACKS(x, "<Type>EX"); /* there is nothing to tell of in them */
	HAS(x, "<Type>IMAP</Type><Server>mail.example.org</Server><Port>993</Port>");
	HAS(x, "<Type>SMTP</Type><Server>smtp.example.org</Server><Port>1587</Port>");
	HAS(x, "<PublicFolderInformation><SmtpAddress>public.folder.root@example.org<");
	LACKS(x, "EwsUrl");
	LACKS(x, "OABUrl");
	LACKS(x, "OWAUrl");
	LACKS(x, "AlternativeMailbox");
	/* the same mailbox has the same id every time */
	ck_assert_str_eq(x, outlook("ann@EXAMPLE.org", "ann@example.org", NULL, NULL));
	x = outlook("Public.Folder.Root@example.org", "ann@example.org", NULL, NULL);
	LACKS(x, "<Type>IMAP</Type>");
	LACKS(x, "PublicFolderInformation");
}
END_TEST

START_TEST(services_that_there_are)
{
	struct gx_disco_opts o = options();
	gx_disco_free(disco);
	gx_http_free(http);
	ck_assert_int_eq(gx_disco_parse_services(" ews oab\tweb ", &o.services), 0);
	ck_assert_uint_eq(o.services, GX_DISCO_EWS | GX_DISCO_OAB | GX_DISCO_WEB);
	o.pretty = true;
	o.mail_servers = NULL;
	o.org_name = "R & D <1>";
	setup_with(&o);
	const char *x = outlook("ann@example.org", "ann@example.org", NULL, NULL);
	HAS(x, "\n        <EwsUrl>https://mail.example.org:8443/EWS/Exchange.asmx</EwsUrl>\n");
	HAS(x, "<OABUrl>https://mail.example.org:8443/OAB/</OABUrl>");
	HAS(x, "<OWAUrl AuthenticationMethod=\"Fba\">https://mail.example.org:8443/web/</OWAUrl>");
	HAS(x, "<LegacyDN>/o=R &amp; D &lt;1&gt;/ou=");
	LACKS(x, "<Type>IMAP</Type>");
	HAS(x, "<Type>EXCH</Type>");
	HAS(x, "<ServerVersion>73C0834F</ServerVersion>");
	HAS(x, "/cn=Microsoft Private MDB</MdbDN>");
	HAS(x, "<Type>EXPR</Type>\n        <Server>mail.example.org</Server>\n        <SSL>On</SSL>");
	HAS(outlook("Public.Folder.Root@example.org", "ann@example.org", NULL, NULL), "/cn=Microsoft Public MDB</MdbDN>");
	/* what would try RPC over HTTP does not see it, and has IMAP */
	LACKS(outlook("ann@example.org", "ann@example.org", "User-Agent", "Microsoft Office/14.0 (Windows NT 6.1)"), "<Type>EX");
	HAS(outlook("ann@example.org", "ann@example.org", "X-MapiHttpCapability", "1"), "<Type>EXCH</Type>");
	ck_assert_int_eq(gx_disco_parse_services("ews pop", &o.services), GX_E_FORMAT);
}
END_TEST

static const struct {
	const char *whom, *name, *value;
	bool told;
} told[] = {
	{"yes", NULL, NULL, true}, {"no", "X-MapiHttpCapability", "1", false},
	{"only_new_mso", NULL, NULL, false}, {"only_new_mso", "X-MapiHttpCapability", "1", true}, {"only_new_mso", "X-MapiHttpCapability", "0", false},
	{"only_new_mso", "User-Agent", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.4266; Pro)", true},
	{"only_new_mso", "User-Agent", "Microsoft Office/14.0 (Windows NT 6.1; Microsoft Outlook 14.0.7113; Pro)", false},
	{"not_old_mso", "User-Agent", "Microsoft Office/14.0 (Windows NT 6.1)", false}, {"not_old_mso", "User-Agent", "curl/7", true},
	{"only_old_mso", "User-Agent", "Microsoft Office/14.0", true}, {"only_old_mso", "User-Agent", "curl/7", false},
	{"services", NULL, NULL, true}, {"services", "User-Agent", "Microsoft Office/14.0", false}, {"services", "User-Agent", "Microsoft Office/16.0", true},
	{"not_new_mso", "User-Agent", "Microsoft Office/15.0", false}, {"not_new_mso", "User-Agent", "Microsoft Office/12.0", true},
};

START_TEST(who_is_told)
{
	unsigned whom;
	const struct gx_http_req r = request_of("ann@example.org", told[_i].name, told[_i].value);
	ck_assert_int_eq(gx_disco_parse_whom(told[_i].whom, &whom), 0);
	ck_assert_int_eq(gx_disco__told(whom, &r), told[_i].told);
	ck_assert_int_eq(gx_disco_parse_whom("some", &whom), GX_E_FORMAT);
}
END_TEST

/* ---- Mailboxes of others ---- */

static void permit(const char *member)
{
	struct gx_actor actor = GX_ACTOR_SYSTEM;
	struct gx_user u;
	struct gx_store *s;
	struct gx_txn *t;
	const char *why;
	ck_assert_int_eq(gx_dir_user(et_people, "bob@example.org", et_a, &u), 0);
	ck_assert_int_eq(gx_store_pool_get(et_pool, u.maildir, &s, et_a, &why), 0);
	ck_assert_int_eq(gx_txn_begin(s, &actor, GX_TXN_WRITE, 1000, &t), 0);
	ST_OK(gx_folder_set_permission(t, GX_FID_INBOX, member, GX_RIGHT_READ | GX_RIGHT_VISIBLE, false));
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
	gx_store_pool_put(et_pool, s);
}

START_TEST(mailboxes_of_others)
{
	struct disco_target t;
	const char *ann = "ann@example.org", *bob = "bob@example.org";
	ck_assert_int_eq(gx_disco__find(disco, "nobody@example.org", NULL, ann, et_a, &t), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_disco__find(disco, NULL, "/o=x/cn=nobody", ann, et_a, &t), GX_E_NOTFOUND);
	struct gx_user_new n = GX_USER_NEW_INIT;
	uint32_t contact;
	n.username = "carl@example.org";
	n.status = GX_USER_CONTACT;
	ck_assert_int_eq(gx_dir_add_user(et_people, &n, &contact), 0);
	ck_assert_int_eq(gx_disco__find(disco, n.username, NULL, ann, et_a, &t), GX_E_UNSUP);
	ck_assert_int_eq(gx_disco__find(disco, "public.folder.root@example.net", NULL, ann, et_a, &t), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_disco__find(disco, NULL, et_dn[1], ann, et_a, &t), 0);
	ck_assert_str_eq(t.address, bob);
	ck_assert_int_eq(gx_disco__may_see(disco, &t, ann, et_a), GX_E_STATE);
	ck_assert_int_eq(gx_disco__find(disco, bob, NULL, bob, et_a, &t), 0);
	ck_assert_int_eq(gx_disco__may_see(disco, &t, bob, et_a), 0);
	/* beside one's own it is told only when something may be done there */
	ck_assert_int_eq(gx_dir_add_second_store(et_people, ann, bob), 0);
	LACKS(outlook(ann, ann, NULL, NULL), "AlternativeMailbox");
	permit(ann);
	ck_assert_int_eq(gx_disco__find(disco, bob, NULL, ann, et_a, &t), 0);
	ck_assert_int_eq(gx_disco__may_see(disco, &t, ann, et_a), 0);
	HAS(outlook(ann, ann, NULL, NULL), "<AlternativeMailbox><Type>Delegate</Type><DisplayName>bob@example.org</DisplayName><SmtpAddress>bob@example.org<");
	LACKS(outlook(bob, ann, NULL, NULL), "AlternativeMailbox");
	/* who is homed elsewhere is reached there */
	uint32_t id;
	ck_assert_int_eq(gx_dir_add_server(et_people, "two.internal", "two.example.org", &id), 0);
	ck_assert_int_eq(gx_dir_set_homeserver(et_people, bob, id), 0);
	HAS(outlook(bob, bob, NULL, NULL), "<InternalUrl>https://two.example.org/mapi/emsmdb/?MailboxId=");
}
END_TEST

/* ---- The client's side ---- */

static int read_answer(const char *text, struct gx_disco_answer *w)
{
	char *exact = gxtest_exact(text, strlen(text));
	int err = gx_disco_read_answer((struct gx_bin){(uint8_t *)exact, strlen(text)}, et_a, w);
	free(exact);
	return err;
}

START_TEST(answers_are_read)
{
	struct gx_disco_answer w;
	struct disco_target t;
	struct disco_xml x;
	ck_assert_int_eq(read_answer(outlook("ann@example.org", "ann@example.org", NULL, NULL), &w), 0);
	ck_assert_str_eq(w.address, "ann@example.org");
	ck_assert_str_eq(w.legacy_dn, gx_disco__find(disco, "ann@example.org", NULL, "", et_a, &t) == 0 ? t.dn : "");
	ck_assert_int_eq(strncmp(w.mailstore_url, URL("emsmdb"), strlen(URL("emsmdb"))), 0);
	ck_assert_int_eq(strncmp(w.addressbook_url, URL("nspi"), strlen(URL("nspi"))), 0);
	ck_assert_str_eq(w.imap_host, "mail.example.org");
	ck_assert_uint_eq(w.smtp_port, 1587);
	ck_assert_ptr_null(w.ews_url);
	ck_assert_uint_eq(w.error_code, 0);
	gx_disco__phone(disco, &t, &x);
	ck_assert_int_eq(read_answer(gx_strbuf_cstr(&x.b), &w), 0);
	ck_assert_str_eq(w.eas_url, "https://mail.example.org:8443/Microsoft-Server-ActiveSync");
	gx_strbuf_release(&x.b);
	gx_disco__error(disco, 601, "no <such> thing", &x);
	ck_assert_int_eq(read_answer(gx_strbuf_cstr(&x.b), &w), 0);
	ck_assert_uint_eq(w.error_code, 601);
	ck_assert_str_eq(w.error, "no <such> thing");
	gx_strbuf_release(&x.b);
	ck_assert_int_eq(read_answer("<Autodiscover><Response><Account><Action>redirectAddr</Action><RedirectAddr>a@b</RedirectAddr></Account></Response>"
		"</Autodiscover>", &w), 0);
	ck_assert_str_eq(w.redirect_address, "a@b");
	ck_assert_int_eq(read_answer("<Autodiscover><Response><Action><Error><Status>2</Status></Error></Action></Response></Autodiscover>", &w), 0);
	ck_assert_uint_eq(w.error_code, 2);
	ck_assert_int_eq(read_answer("<html><body>Hello</body></html>", &w), GX_E_FORMAT);
	ck_assert_int_eq(read_answer(BOMB "<Autodiscover><Response/></Autodiscover>", &w), GX_E_FORMAT);
	ck_assert_int_eq(read_answer("", &w), GX_E_FORMAT);
}
END_TEST

START_TEST(options_that_make_no_sense)
{
	static const char *const bad_mail[] = {"ftp", "imap:", "imap://x:0", "imap://x:70000", "imap://x:1x",
		"imap imap imap imap imap imap imap imap imap imap imap imap imap imap imap imap imap"};
	struct gx_disco_opts o = options();
	struct gx_disco *d = NULL;
	const char *why = "";
	for (size_t i = 0; i < sizeof(bad_mail) / sizeof(*bad_mail); ++i) {
		o.mail_servers = bad_mail[i];
		ck_assert_int_ne(gx_disco_new(&o, http, &d, et_a, &why), 0);
		HAS(why, ":");
	}
	o.mail_servers = "";
	o.exonym = "a b";
	ck_assert_int_eq(gx_disco_new(&o, http, &d, et_a, &why), GX_E_INVAL);
	HAS(why, "a b: expected the name of a host");
	o.exonym = "[::1]:443";
	o.pool = NULL;
	ck_assert_int_eq(gx_disco_new(&o, http, &d, et_a, &why), GX_E_INVAL);
	ck_assert_str_eq(gx_disco__bare("[::1]:443", et_a), "[::1]");
	ck_assert_str_eq(gx_disco__bare("a.example", et_a), "a.example");
}
END_TEST

/* ---- What URLs name ---- */

static const char *box_of(struct gx_disco_boxes *b, const char *id, const char *user)
{
	struct gx_disco_box box;
	int err = gx_disco_box(b, id, user, et_a, &box);
	return err == 0 ? strrchr(box.dir, '/') + 1 : err == GX_E_NOTFOUND ? "none" : "?";
}

static const char *id_of(const char *address)
{
	struct disco_target t;
	ck_assert_int_eq(gx_disco__find(disco, address, NULL, "ann@example.org", et_a, &t), 0);
	return t.id;
}

START_TEST(urls_name_stores)
{
	struct gx_disco_boxes *b;
	ck_assert_int_eq(gx_disco_boxes_new(NULL, 0, &b), GX_E_INVAL);
	ck_assert_int_eq(gx_disco_boxes_new(et_people, 0, &b), 0);
	/* the second time from memory */
	for (unsigned i = 0; i < 2; ++i) {
		ck_assert_str_eq(box_of(b, id_of("ann@example.org"), "ann@example.org"), "ann");
		ck_assert_str_eq(box_of(b, id_of("bob@example.org"), "ann@example.org"), "bob");
		ck_assert_str_eq(box_of(b, id_of("public.folder.root@example.org"), "bob@example.org"), "public");
		ck_assert_str_eq(box_of(b, "bob@example.org", "ann@example.org"), "bob");
		/* what names nobody is the user's own */
		ck_assert_str_eq(box_of(b, NULL, "bob@example.org"), "bob");
		ck_assert_str_eq(box_of(b, "x", "bob@example.org"), "bob");
		ck_assert_str_eq(box_of(b, "00000000-0000-4000-8000-000000000000@example.org", "ann@example.org"), "ann");
		ck_assert_str_eq(box_of(b, "zoe@example.net", "ann@example.org"), "ann");
		ck_assert_str_eq(box_of(b, "bob@example.org", "zoe@example.org"), "none");
	}
	gx_disco_boxes_free(b);
}
END_TEST

static Suite *autodiscover_suite(void)
{
	Suite *s = suite_create("autodiscover");
	TCase *t = tcase_create("autodiscover");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, urls_name_stores);
	tcase_add_test(t, requests_are_read);
	tcase_add_loop_test(t, what_is_no_request, 0, sizeof(bad_requests) / sizeof(*bad_requests));
	tcase_add_test(t, deep_and_long_requests);
	tcase_add_test(t, damaged_requests);
	tcase_add_test(t, what_outlook_is_told);
	tcase_add_test(t, services_that_there_are);
	tcase_add_loop_test(t, who_is_told, 0, sizeof(told) / sizeof(*told));
	tcase_add_test(t, mailboxes_of_others);
	tcase_add_test(t, answers_are_read);
	tcase_add_test(t, options_that_make_no_sense);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(autodiscover_suite)

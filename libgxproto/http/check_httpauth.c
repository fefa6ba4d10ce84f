/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <unistd.h>
#include <gx/codec.h>
#include "libgxproto/http/httptest.h"

/* ---- A directory of two, and a mechanism of two legs ---- */

static unsigned checks;

static int check(const char *login, const char *password, struct gx_arena *a, const char **ret_user, void *ctx)
{
	++checks;
	if (strcmp(login, "down") == 0)
		return GX_E_IO;
	if (strcmp(login, "alice") != 0 && strcmp(login, "locked") != 0)
		return GX_E_NOTFOUND;
	if (password != NULL && strcmp(password, "pa:ss") != 0)
		return GX_E_INVAL;
	*ret_user = gx_arena_printf(a, "%s@example.org", login);
	return strcmp(login, "locked") == 0 ? GX_E_STATE : 0;
}

static int exchanges;

static void *mech_begin(void *ctx)
{
	++exchanges;
	return calloc(1, sizeof(int));
}

static int mech_step(void *exchange, struct gx_bin in, struct gx_arena *a, struct gx_bin *ret_out, const char **ret_user)
{
	int *leg = exchange;
	if (++*leg == 1 && in.len == 3 && memcmp(in.data, "one", 3) == 0) {
		*ret_out = (struct gx_bin){(const uint8_t *)"more", 4};
		return GX_E_BUSY;
	}
	if (*leg != 2 || in.len != 3 || memcmp(in.data, "two", 3) != 0)
		return GX_E_INVAL;
	*ret_out = (struct gx_bin){(const uint8_t *)"done", 4};
	*ret_user = gx_arena_strdup(a, "alice");
	return 0;
}

static void mech_end(void *exchange)
{
	--exchanges;
	free(exchange);
}

static const struct gx_http_negotiate mech = {mech_begin, mech_step, mech_end, NULL, true};

static void open_site(struct rig *g, struct gx_http_auth_opts *ao)
{
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	rig_open(g, &o);
	ao->check = check;
	ao->clock = &g->clock;
	ck_assert_int_eq(gx_http_auth_new(ao, &g->s.auth), 0);
	gx_http_set_auth(g->s.h, g->s.auth);
	checks = 0;
}

static void who(struct rig *g, const char *scheme, const char *plain, const char *expected)
{
	char text[30000];
	char b64[400];
	size_t n = gx_base64_enc((const uint8_t *)plain, strlen(plain), b64);
	rig_forget(g);
	snprintf(text, sizeof(text), "GET /who HTTP/1.1\r\nHost: a\r\nAuthorization: %s %.*s\r\n\r\n", scheme, (int)n, b64);
	rig_say(g, text);
	rig_expect(g, expected);
}

START_TEST(basic)
{
	struct rig g;
	struct gx_authlimit *limit;
	struct gx_authlimit_opts lo = GX_AUTHLIMIT_OPTS_INIT;
	struct gx_http_auth_opts ao = GX_HTTP_AUTH_OPTS_INIT;
	lo.max_bans = 100;
	lo.ban_after = 3;
	ck_assert_int_eq(gx_authlimit_new(&lo, &limit), 0);
	ao.basic = true;
	ao.realm = "a realm";
	ao.cache_seconds = 60;
	ao.limit = limit;
	open_site(&g, &ao);
	rig_say(&g, "GET /who HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_expect(&g, "401 Unauthorized");
	rig_expect(&g, "WWW-Authenticate: Basic realm=\"a realm\", charset=\"UTF-8\"\r\n");
	ck_assert(!rig_got(&g, "Bearer") && !rig_got(&g, "Negotiate"));
	who(&g, "bAsIc", "alice:pa:ss", "user=alice@example.org");
	who(&g, "Basic  ", "alice:pa:ss", "user=alice@example.org");
	ck_assert_uint_eq(checks, 1);
	who(&g, "Basic", "alice:pa:s", "401");
	who(&g, "Basic", "alice:", "401");
	who(&g, "Basic", "bob:x", "401");
	who(&g, "Basic", "nocolon", "401");
	who(&g, "Digest", "alice:pa:ss", "401");
	who(&g, "Bearer", "alice:pa:ss", "401");
	who(&g, "Negotiate", "one", "401");
	who(&g, "Basic", "locked:pa:ss", "403");
	who(&g, "Basic", "down:x", "503");
	rig_forget(&g);
	rig_say(&g, "GET /who HTTP/1.1\r\nHost: a\r\nAuthorization: Basic *\r\n\r\nGET /who HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YQA6Yg==\r\n\r\n");
	ck_assert(!rig_got(&g, "200 OK"));
	/* Too many guesses; who is known goes on. */
	for (unsigned i = 0; i < 3; ++i)
		who(&g, "Basic", "alice:guess", i < 1 ? "401" : "4");
	who(&g, "Basic", "alice:guess", "429 Too Many");
	who(&g, "Basic", "alice:pa:ss", "user=alice@example.org");
	/* The cache forgets in time and when told. */
	checks = 0;
	gx_authlimit_succeeded(limit, "alice", "127.0.0.1");
	gx_http_auth_forget(g.s.auth);
	who(&g, "Basic", "alice:pa:ss", "user=alice@example.org");
	g.s.now_ms += 59999;
	who(&g, "Basic", "alice:pa:ss", "user=alice@example.org");
	ck_assert_uint_eq(checks, 1);
	g.s.now_ms += 1;
	who(&g, "Basic", "alice:pa:ss", "user=alice@example.org");
	ck_assert_uint_eq(checks, 2);
	rig_close(&g);
	gx_authlimit_free(limit);
}
END_TEST

START_TEST(a_body_waits_for_its_sender)
{
	struct rig g;
	struct gx_http_auth_opts ao = GX_HTTP_AUTH_OPTS_INIT;
	ao.basic = true;
	open_site(&g, &ao);
	rig_say(&g, "POST /who HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
	rig_expect(&g, "401 Unauthorized");
	rig_expect(&g, "Connection: close");
	rig_again(&g);
	/* alice:pa:ss */
	rig_say(&g, "POST /who HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nAuthorization: Basic YWxpY2U6cGE6c3M=\r\nContent-Length: 3\r\n\r\n");
	ck_assert_str_eq(gx_strbuf_cstr(&g.got), "HTTP/1.1 100 Continue\r\n\r\n");
	rig_say(&g, "abc");
	rig_expect(&g, "user=alice@example.org body=abc\n");
	ck_assert_uint_eq(checks, 1);
	rig_close(&g);
}
END_TEST

START_TEST(negotiate)
{
	struct rig g;
	struct gx_http_auth_opts ao = GX_HTTP_AUTH_OPTS_INIT;
	ao.basic = true;
	ao.negotiate = &mech;
	open_site(&g, &ao);
	rig_say(&g, "GET /who HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_expect(&g, "WWW-Authenticate: Negotiate\r\n");
	who(&g, "Negotiate", "one", "WWW-Authenticate: Negotiate bW9yZQ==\r\n");
	who(&g, "Negotiate", "two", "WWW-Authenticate: Negotiate ZG9uZQ==\r\n");
	rig_expect(&g, "user=alice@example.org");
	rig_forget(&g);
	rig_say(&g, "GET /who HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_expect(&g, "user=alice@example.org");
	ck_assert_int_eq(exchanges, 0);
	/* A handler that begins its headers anew drops its own. */
	rig_again(&g);
	who(&g, "Negotiate", "one", "bW9yZQ==");
	rig_forget(&g);
	rig_say(&g, "GET /who?anew HTTP/1.1\r\nHost: a\r\nAuthorization: Negotiate dHdv\r\n\r\n");
	rig_expect(&g, "WWW-Authenticate: Negotiate ZG9uZQ==\r\n");
	ck_assert(!rig_got(&g, "X-Dropped"));
	/* Another connection knows nothing of it. */
	rig_again(&g);
	rig_say(&g, "GET /who HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_expect(&g, "401");
	who(&g, "Negotiate", "two", "401");
	who(&g, "Negotiate", "one", "bW9yZQ==");
	who(&g, "Negotiate", "one", "401");
	who(&g, "Negotiate", "one", "bW9yZQ==");
	ck_assert_int_eq(exchanges, 1);
	rig_close(&g);
	ck_assert_int_eq(exchanges, 0);
}
END_TEST

START_TEST(the_cache_is_bounded)
{
	struct gx_arena *a = gx_arena_new(0);
	struct http_credcache *c = gx_http__credcache_new(gx_clock_system(), 60, 10);
	char login[20];
	for (unsigned i = 0; i < 25; ++i) {
		snprintf(login, sizeof(login), "u%u", i);
		gx_http__credcache_add(c, login, "p", login);
		gx_http__credcache_add(c, login, "p", login);
	}
	for (unsigned i = 0; i < 25; ++i) {
		snprintf(login, sizeof(login), "u%u", i);
		ck_assert_int_eq(gx_http__credcache_find(c, a, login, "p") != NULL, i >= 15);
		ck_assert_ptr_null(gx_http__credcache_find(c, a, login, "q"));
	}
	/* Name and password are told apart. */
	gx_http__credcache_add(c, "ab", "cd", "ab");
	ck_assert_ptr_null(gx_http__credcache_find(c, a, "abc", "d"));
	gx_http__credcache_free(c);
	gx_arena_free(a);
}
END_TEST

/* ---- Tokens ---- */

enum { NOW = 1800000000 };
static gnutls_privkey_t rsa, ec, other_ec;
static struct gx_arena *arena;
static char pem_path[60], jwks_path[60];

static int64_t fixed_now(void *ctx)
{
	return (int64_t)NOW * 1000000000;
}
static const struct gx_clock fixed = {fixed_now, fixed_now, NULL};

static char *b64url(const void *p, size_t n)
{
	char *s = gx_arena_alloc(arena, gx_base64_enc_len(n) + 1);
	size_t len = gx_base64_enc(p, n, s);
	while (len > 0 && s[len - 1] == '=')
		--len;
	s[len] = '\0';
	for (char *c = s; *c != '\0'; ++c)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	return s;
}

static char *sign(gnutls_privkey_t key, bool es, const char *data)
{
	gnutls_datum_t d = {(unsigned char *)data, (unsigned)strlen(data)}, sig, r, s;
	uint8_t raw[64] = {0};
	ck_assert_int_eq(gnutls_privkey_sign_data2(key, es ? GNUTLS_SIGN_ECDSA_SHA256 : GNUTLS_SIGN_RSA_SHA256, 0, &d, &sig), 0);
	char *out;
	if (es) {
		ck_assert_int_eq(gnutls_decode_rs_value(&sig, &r, &s), 0);
		for (unsigned i = 0; i < 32 && i < r.size; ++i)
			raw[31 - i] = r.data[r.size - 1 - i];
		for (unsigned i = 0; i < 32 && i < s.size; ++i)
			raw[63 - i] = s.data[s.size - 1 - i];
		gnutls_free(r.data);
		gnutls_free(s.data);
		out = b64url(raw, 64);
	} else {
		out = b64url(sig.data, sig.size);
	}
	gnutls_free(sig.data);
	return out;
}

static char *token(gnutls_privkey_t key, const char *head, const char *claims)
{
	char *data = gx_arena_printf(arena, "%s.%s", b64url(head, strlen(head)), b64url(claims, strlen(claims)));
	return gx_arena_printf(arena, "%s.%s", data, sign(key, key != rsa, data));
}

static void write_file(const char *path, const void *p, size_t n, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	close(fd);
}

static void put_public(gnutls_privkey_t key, int flags)
{
	gnutls_pubkey_t pub;
	gnutls_datum_t pem;
	gnutls_pubkey_init(&pub);
	gnutls_pubkey_import_privkey(pub, key, 0, 0);
	ck_assert_int_eq(gnutls_pubkey_export2(pub, GNUTLS_X509_FMT_PEM, &pem), 0);
	write_file(pem_path, pem.data, pem.size, flags);
	gnutls_free(pem.data);
	gnutls_pubkey_deinit(pub);
}

/* Without the zero in front that keeps a number positive. */
static char *number(gnutls_datum_t *d, unsigned size)
{
	unsigned skip = d->size > size ? d->size - size : 0;
	char *s = b64url(d->data + skip, d->size - skip);
	gnutls_free(d->data);
	return s;
}

static void write_jwks(void)
{
	gnutls_pubkey_t pub;
	gnutls_datum_t a, b;
	gnutls_ecc_curve_t curve;
	gnutls_pubkey_init(&pub);
	gnutls_pubkey_import_privkey(pub, rsa, 0, 0);
	gnutls_pubkey_export_rsa_raw(pub, &a, &b);
	char *n = number(&a, 256), *e = number(&b, 3);
	gnutls_pubkey_deinit(pub);
	gnutls_pubkey_init(&pub);
	gnutls_pubkey_import_privkey(pub, ec, 0, 0);
	gnutls_pubkey_export_ecc_raw2(pub, &curve, &a, &b, 0);
	char *x = number(&a, 32), *y = number(&b, 32);
	gnutls_pubkey_deinit(pub);
	char *text = gx_arena_printf(arena, "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"%s\",\"e\":\"%s\"},"
		"{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"r1\",\"alg\":\"RS256\",\"n\":\"%s\",\"e\":\"%s\"},"
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e1\",\"x\":\"%s\",\"y\":\"%s\"}]}", n, e, n, e, x, y);
	write_file(jwks_path, text, strlen(text), O_TRUNC);
}

static gnutls_privkey_t new_key(bool rsa_key)
{
	gnutls_privkey_t k;
	gnutls_privkey_init(&k);
	ck_assert_int_eq(gnutls_privkey_generate(k, rsa_key ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA,
		rsa_key ? 2048 : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
	return k;
}

static void make_keys(void)
{
	arena = gx_arena_new(0);
	rsa = new_key(true);
	ec = new_key(false);
	other_ec = new_key(false);
	snprintf(pem_path, sizeof(pem_path), "/tmp/check_httpauth.%d.pem", (int)getpid());
	snprintf(jwks_path, sizeof(jwks_path), "/tmp/check_httpauth.%d.json", (int)getpid());
	put_public(rsa, O_TRUNC);
	put_public(ec, O_APPEND);
	write_jwks();
}

static void drop_keys(void)
{
	unlink(pem_path);
	unlink(jwks_path);
	gnutls_privkey_deinit(rsa);
	gnutls_privkey_deinit(ec);
	gnutls_privkey_deinit(other_ec);
	gx_arena_free(arena);
}

static struct gx_jwt *open_jwt(const char *path)
{
	struct gx_jwt_opts o = GX_JWT_OPTS_INIT;
	struct gx_jwt *j = NULL;
	const char *why = "";
	o.clock = &fixed;
	o.key_path = path;
	o.issuer = "https://id.example";
	o.audience = "gx";
	o.user_claim = "email";
	ck_assert_msg(gx_jwt_new(&o, &j, arena, &why) == 0, "%s", why);
	return j;
}

static int verify(struct gx_jwt *j, const char *t, size_t n, const char **ret_user)
{
	char *exact = gxtest_exact(t, n);
	const char *why = NULL;
	int ret = gx_jwt_verify(j, exact, n, arena, ret_user, &why);
	free(exact);
	ck_assert_msg(ret == 0 || (why != NULL && *why != '\0'), "%d without a reason", ret);
	return ret;
}

#define CLAIMS(more) "{\"iss\":\"https://id.example\",\"aud\":\"gx\",\"email\":\"alice\"" more "}"
#define EXP ",\"exp\":1800000010"
#define ES "{\"alg\":\"ES256\"}"

static const struct {
	const char *head, *claims;
	int ret;
} tokens[] = {
	{ES, CLAIMS(EXP), 0},
	{"{\"alg\":\"ES256\",\"typ\":\"JWT\",\"jwk\":{\"kty\":\"oct\"},\"jku\":\"http://evil\"}", CLAIMS(EXP), 0},
	{ES, CLAIMS(",\"exp\":1800000000.5,\"nbf\":1800000000,\"iat\":1799999999"), 0},
	{ES, CLAIMS(",\"exp\":1799999941"), 0},
	{ES, CLAIMS(",\"exp\":1799999940"), GX_E_TIMEOUT},
	{ES, CLAIMS(",\"exp\":-1"), GX_E_TIMEOUT},
	{ES, CLAIMS(EXP ",\"nbf\":1800000060"), 0},
	{ES, CLAIMS(EXP ",\"nbf\":1800000061"), GX_E_TIMEOUT},
	{ES, CLAIMS(EXP ",\"iat\":1800000061"), GX_E_TIMEOUT},
	{ES, CLAIMS(""), GX_E_INVAL},
	{ES, CLAIMS(",\"exp\":\"1800000010\""), GX_E_INVAL},
	{ES, CLAIMS(",\"exp\":null"), GX_E_INVAL},
	{ES, CLAIMS(EXP ",\"nbf\":true"), GX_E_INVAL},
	{ES, CLAIMS(EXP EXP), GX_E_FORMAT},
	{ES, "{\"iss\":\"https://id.example/\",\"aud\":\"gx\",\"email\":\"alice\"" EXP "}", GX_E_INVAL},
	{ES, "{\"aud\":\"gx\",\"email\":\"alice\"" EXP "}", GX_E_INVAL},
	{ES, "{\"iss\":\"https://id.example\",\"aud\":[\"x\",\"gx\"],\"email\":\"alice\"" EXP "}", 0},
	{ES, "{\"iss\":\"https://id.example\",\"aud\":[\"x\",7],\"email\":\"alice\"" EXP "}", GX_E_INVAL},
	{ES, "{\"iss\":\"https://id.example\",\"aud\":{\"gx\":1},\"email\":\"alice\"" EXP "}", GX_E_INVAL},
	{ES, "{\"iss\":\"https://id.example\",\"email\":\"alice\"" EXP "}", GX_E_INVAL},
	{ES, "{\"iss\":\"https://id.example\",\"aud\":\"gx\"" EXP "}", GX_E_INVAL},
	{ES, "{\"iss\":\"https://id.example\",\"aud\":\"gx\",\"email\":\"\"" EXP "}", GX_E_INVAL},
	{ES, "{\"iss\":\"https://id.example\",\"aud\":\"gx\",\"email\":[\"alice\"]" EXP "}", GX_E_INVAL},
	{ES, "{\"iss\":\"https://id.example\",\"aud\":\"gx\",\"email\":\"a\\nb\"" EXP "}", GX_E_INVAL},
	{ES, "{\"iss\":\"https://id.example\",\"aud\":\"gx\",\"email\":\"alice\\u0000x\"" EXP "}", GX_E_FORMAT},
	{ES, "[]", GX_E_FORMAT},
	{ES, "{", GX_E_FORMAT},
	{"{\"alg\":\"none\"}", CLAIMS(EXP), GX_E_UNSUP},
	{"{\"alg\":\"HS256\"}", CLAIMS(EXP), GX_E_UNSUP},
	{"{\"alg\":\"es256\"}", CLAIMS(EXP), GX_E_UNSUP},
	{"{\"alg\":[\"ES256\"]}", CLAIMS(EXP), GX_E_UNSUP},
	{"{}", CLAIMS(EXP), GX_E_UNSUP},
	{"{\"alg\":\"ES256\",\"crit\":[\"x\"]}", CLAIMS(EXP), GX_E_UNSUP},
	{"{\"alg\":\"ES256\",\"alg\":\"ES256\"}", CLAIMS(EXP), GX_E_FORMAT},
	{"{\"alg\":\"RS256\"}", CLAIMS(EXP), GX_E_INVAL},
	{"\"ES256\"", CLAIMS(EXP), GX_E_FORMAT},
};

START_TEST(tokens_good_and_bad)
{
	const char *user = NULL;
	make_keys();
	struct gx_jwt *j = open_jwt(_i == 0 ? pem_path : jwks_path);
	for (unsigned i = 0; i < sizeof(tokens) / sizeof(tokens[0]); ++i) {
		char *t = token(ec, tokens[i].head, tokens[i].claims);
		int ret = verify(j, t, strlen(t), &user);
		ck_assert_msg(ret == tokens[i].ret, "case %u: %d", i, ret);
		/* The same by somebody else. */
		if (ret == 0) {
			ck_assert_str_eq(user, "alice");
			t = token(other_ec, tokens[i].head, tokens[i].claims);
			ck_assert_int_eq(verify(j, t, strlen(t), &user), GX_E_INVAL);
		}
	}
	char *t = token(rsa, "{\"alg\":\"RS256\",\"kid\":\"r1\"}", CLAIMS(EXP));
	ck_assert_int_eq(verify(j, t, strlen(t), &user), 0);
	t = token(rsa, "{\"alg\":\"ES256\"}", CLAIMS(EXP));
	ck_assert_int_eq(verify(j, t, strlen(t), &user), GX_E_INVAL);
	t = token(ec, "{\"alg\":\"ES256\",\"kid\":\"r1\"}", CLAIMS(EXP));
	ck_assert_int_eq(verify(j, t, strlen(t), &user), _i == 0 ? 0 : GX_E_NOTFOUND);
	gx_jwt_free(j);
	drop_keys();
}
END_TEST

START_TEST(mutilated_tokens)
{
	const char *user = NULL;
	make_keys();
	struct gx_jwt *j = open_jwt(jwks_path);
	char *t = token(ec, ES, CLAIMS(EXP));
	size_t n = strlen(t);
	for (size_t i = 0; i < n; ++i)
		ck_assert_int_ne(verify(j, t, i, &user), 0);
	for (size_t i = 0; i < n; ++i) {
		char was = t[i];
		/* The last character of a part has bits that mean nothing. */
		if (i + 1 == n || t[i + 1] == '.')
			continue;
		t[i] = was == 'A' ? 'B' : 'A';
		ck_assert_msg(verify(j, t, n, &user) != 0, "character %zu", i);
		t[i] = (char)(was ^ 0x80);
		ck_assert_int_ne(verify(j, t, n, &user), 0);
		t[i] = was;
	}
	char *more = gx_arena_printf(arena, "%s.x", t);
	ck_assert_int_eq(verify(j, more, n + 2, &user), GX_E_FORMAT);
	char *big = gx_arena_printf(arena, "%020000d.%s", 0, t);
	ck_assert_int_eq(verify(j, big, strlen(big), &user), GX_E_FORMAT);
	ck_assert_int_eq(verify(j, "..", 2, &user), GX_E_FORMAT);
	ck_assert_int_eq(verify(j, t, n, &user), 0);
	gx_jwt_free(j);
	drop_keys();
}
END_TEST

START_TEST(key_files)
{
	static const char *const bad[] = {"", "x", "{", "{}", "{\"keys\":[]}", "{\"keys\":[1,{\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQAB\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}]}", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
	struct gx_jwt_opts o = GX_JWT_OPTS_INIT;
	struct gx_jwt *j = NULL;
	const char *why = "", *user = NULL;
	make_keys();
	char *t = token(ec, ES, CLAIMS(EXP));
	o.key_path = pem_path;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		write_file(pem_path, bad[i], strlen(bad[i]), O_TRUNC);
		ck_assert_msg(gx_jwt_new(&o, &j, arena, &why) == GX_E_FORMAT, "case %u", i);
		ck_assert_ptr_nonnull(strstr(why, pem_path));
	}
	unlink(pem_path);
	ck_assert_int_eq(gx_jwt_new(&o, &j, arena, &why), GX_E_NOTFOUND);
	/* New keys take the place of the old ones; a broken file does not. */
	put_public(other_ec, O_TRUNC);
	j = open_jwt(pem_path);
	ck_assert_int_eq(verify(j, t, strlen(t), &user), GX_E_INVAL);
	put_public(ec, O_TRUNC);
	ck_assert_int_eq(gx_jwt_reload(j, arena, &why), 0);
	ck_assert_int_eq(verify(j, t, strlen(t), &user), 0);
	write_file(pem_path, "x", 1, O_TRUNC);
	ck_assert_int_eq(gx_jwt_reload(j, arena, &why), GX_E_FORMAT);
	ck_assert_int_eq(verify(j, t, strlen(t), &user), 0);
	gx_jwt_free(j);
	drop_keys();
}
END_TEST

START_TEST(bearer)
{
	struct rig g;
	struct gx_http_auth_opts ao = GX_HTTP_AUTH_OPTS_INIT;
	make_keys();
	ao.jwt = open_jwt(jwks_path);
	open_site(&g, &ao);
	rig_say(&g, "GET /who HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_expect(&g, "WWW-Authenticate: Bearer realm=\"gromox\"\r\n");
	ck_assert(!rig_got(&g, "Basic"));
	rig_forget(&g);
	rig_say(&g, gx_arena_printf(arena, "GET /who HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", token(ec, ES, CLAIMS(EXP))));
	rig_expect(&g, "user=alice@example.org");
	rig_forget(&g);
	rig_say(&g, gx_arena_printf(arena, "GET /who HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", token(other_ec, ES, CLAIMS(EXP))));
	rig_expect(&g, "401");
	rig_expect(&g, "error=\"invalid_token\"");
	struct gx_jwt *j = ao.jwt;
	rig_close(&g);
	gx_jwt_free(j);
	drop_keys();
}
END_TEST

/* ---- A program of the system behind Negotiate ---- */

static const char helper_script[] =
	"#!/bin/sh\n"
	"while read -r word rest; do\n"
	"	case \"$word $rest\" in\n"
	"	'YR b25l') echo 'TT bW9yZQ==' ;;\n"
	"	'KK dHdv') echo \"AF $1 alice\" ;;\n"
	"	'YR YWxvbmU=') echo 'AF alice' ;;\n"
	"	'YR YmFk') echo 'NA no such user' ;;\n"
	"	'YR Z29uZQ==') exit 0 ;;\n"
	"	'YR bG91ZA==') printf 'AF = a\\nAF = b\\n' ;;\n"
	"	*) echo 'BH what' ;;\n"
	"	esac\n"
	"done\n";

static struct gx_http_helper *open_helper(char *path, const char *word)
{
	struct gx_http_helper *h = NULL;
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	write_file(path, helper_script, sizeof(helper_script) - 1, O_TRUNC);
	ck_assert_int_eq(gx_http_helper_new(gx_arena_printf(arena, " /bin/sh\t%s %s", path, word), NULL, &h), 0);
	return h;
}

static int one_leg(const struct gx_http_negotiate *n, void *x, const char *in, const char *out, const char **ret_user)
{
	struct gx_bin got = {0};
	int err = n->step(x, (struct gx_bin){(const uint8_t *)in, strlen(in)}, arena, &got, ret_user);
	ck_assert_uint_eq(got.len, strlen(out));
	ck_assert(got.len == 0 || memcmp(got.data, out, got.len) == 0);
	return err;
}

START_TEST(helpers_of_the_system)
{
	static const struct {
		const char *in;
		int ret;
	} t[] = {{"alone", 0}, {"bad", GX_E_INVAL}, {"other", GX_E_INVAL}, {"gone", GX_E_IO}, {"alone", 0}, {"loud", GX_E_FORMAT}, {"alone", 0}};
	char path[] = "/tmp/check_helper.XXXXXX";
	arena = gx_arena_new(0);
	struct gx_http_helper *h = open_helper(path, "ZG9uZQ==");
	const struct gx_http_negotiate *n = gx_http_helper_ops(h);
	const char *user = "";
	void *x = n->begin(n->ctx), *other = n->begin(n->ctx);
	ck_assert_int_eq(one_leg(n, x, "one", "more", &user), GX_E_BUSY);
	/* each exchange has a process of its own */
	ck_assert_int_eq(one_leg(n, other, "alone", "", &user), 0);
	ck_assert_int_eq(one_leg(n, x, "two", "done", &user), 0);
	ck_assert_str_eq(user, "alice");
	ck_assert_int_eq(one_leg(n, x, "two", "", &user), GX_E_IO);
	n->end(x);
	n->end(other);
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); ++i) {
		x = n->begin(n->ctx);
		int ret = one_leg(n, x, t[i].in, "", &user);
		ck_assert_msg(ret == t[i].ret, "%s: %d", t[i].in, ret);
		n->end(x);
	}
	x = n->begin(n->ctx);
	ck_assert_int_eq(one_leg(n, x, "one", "more", &user), GX_E_BUSY);
	n->end(x);
	gx_http_helper_free(h);
	ck_assert_int_eq(gx_http_helper_new("  ", NULL, &h), GX_E_INVAL);
	ck_assert_int_eq(gx_http_helper_new("/nonexistent/helper", NULL, &h), 0);
	n = gx_http_helper_ops(h);
	x = n->begin(n->ctx);
	ck_assert_int_eq(one_leg(n, x, "one", "", &user), GX_E_IO);
	n->end(x);
	gx_http_helper_free(h);
	unlink(path);
	gx_arena_free(arena);
}
END_TEST

static Suite *httpauth_suite(void)
{
	Suite *s = suite_create("httpauth");
	TCase *t = tcase_create("httpauth");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, basic);
	tcase_add_test(t, a_body_waits_for_its_sender);
	tcase_add_test(t, negotiate);
	tcase_add_test(t, helpers_of_the_system);
	tcase_add_test(t, the_cache_is_bounded);
	tcase_add_loop_test(t, tokens_good_and_bad, 0, 2);
	tcase_add_test(t, mutilated_tokens);
	tcase_add_test(t, key_files);
	tcase_add_test(t, bearer);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(httpauth_suite)

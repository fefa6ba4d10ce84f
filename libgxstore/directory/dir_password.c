/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords, crypt(3). There is no cache of verified passwords in here: it would hold what an
 * attacker wants most, and would outlive a changed or locked account; who logs in often keeps
 * the connection. Hashing runs without any lock, so logins use as many cores as there are.
 */
#include <config.h>
#include <crypt.h>
#include <errno.h>
#include <unistd.h>
#include <sys/random.h>
#include "libgxstore/directory/dir-int.h"

enum { SALT_LEN = 16, PASSWORD_MAX = 511, HASH_MAX = 136 };

/* Any setting will do: what counts is that it costs the same as a real one. */
#define DUMMY_SETTING "$6$ZmVmZWZlZmVmZWZl"

static void wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
	free(p);
}

static bool salt_setting(char out[SALT_LEN + 5])
{
	static const char alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint8_t rnd[SALT_LEN];
	if (getrandom(rnd, sizeof(rnd), 0) != (ssize_t)sizeof(rnd))
		return false;
	memcpy(out, "$6$", 3);
	for (unsigned i = 0; i < SALT_LEN; ++i)
		out[3 + i] = alphabet[rnd[i] % 64];
	memcpy(out + 3 + SALT_LEN, "$", 2);
	return true;
}

int gx_dir__hash(const char *password, char out[HASH_MAX + 1])
{
	char setting[SALT_LEN + 5];
	if (strlen(password) > PASSWORD_MAX)
		return GX_E_INVAL;
	if (!salt_setting(setting))
		return GX_E_IO;
	struct crypt_data *cd = calloc(1, sizeof(*cd));
	if (cd == NULL)
		return GX_E_NOMEM;
	const char *h = crypt_r(password, setting, cd);
	int err = 0;
	if (h == NULL || h[0] != '$' || strlen(h) > HASH_MAX)
		err = GX_E_UNSUP;
	else
		memcpy(out, h, strlen(h) + 1);
	wipe(cd, sizeof(*cd));
	return err;
}

static bool same(const char *x, const char *y)
{
	size_t n = strlen(x);
	if (n != strlen(y))
		return false;
	unsigned diff = 0;
	for (size_t i = 0; i < n; ++i)
		diff |= (unsigned)(x[i] ^ y[i]);
	return diff == 0;
}

bool gx_dir__verify(const char *password, const char *hash)
{
	struct crypt_data *cd = calloc(1, sizeof(*cd));
	if (cd == NULL)
		return false;
	bool fits = strlen(password) <= PASSWORD_MAX;
	bool usable = hash != NULL && hash[0] != '\0' && hash[0] != '*' && hash[0] != '!';
	const char *h = crypt_r(fits ? password : "", usable ? hash : DUMMY_SETTING, cd);
	if (usable && (h == NULL || h[0] == '*')) {
		usable = false; /* a hash of unknown kind: fail, but not faster */
		(void)crypt_r("", DUMMY_SETTING, cd);
	}
	bool ok = usable && fits && h != NULL && same(h, hash);
	wipe(cd, sizeof(*cd));
	return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/ec.h>

struct ec_row {
	uint32_t code;
	bool warning;
	const char *name, *text;
};

#include "libgxmapi/ec-table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct ec_row *find(uint32_t code)
{
	size_t lo = 0, hi = COUNT(rows);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (rows[mid].code == code)
			return &rows[mid];
		if (rows[mid].code < code)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

bool gx_ec_failed(gx_ec e)
{
	if (e.v == ecSuccess)
		return false;
	if (e.v & 0x80000000U)
		return true;
	const struct ec_row *r = find(e.v);
	/* 0x0004xxxx is MAPI's range of warnings, [MS-OXCDATA] 2.4.3 */
	return r != NULL ? !r->warning : e.v >> 16 != 0x0004;
}

const char *gx_ec_name(gx_ec e)
{
	const struct ec_row *r = find(e.v);
	return r != NULL ? r->name : "unknown";
}

const char *gx_ec_text(gx_ec e)
{
	const struct ec_row *r = find(e.v);
	return r != NULL ? r->text : "Unknown error code.";
}

/* The first row of a GX_E_* or of a code is the one that is used. */
static const struct {
	int err;
	uint32_t code;
} border[] = {
	{GX_OK, ecSuccess},
	{GX_E_NOMEM, ecMAPIOOM},
	{GX_E_NOMEM, ecMemory},
	{GX_E_TRUNC, ecRpcFormat},
	{GX_E_FORMAT, ecCorruptData},
	{GX_E_LIMIT, ecTooBig},
	{GX_E_LIMIT, ecTableTooBig},
	{GX_E_DEPTH, ecTooComplex},
	{GX_E_RANGE, ecInvalidParam},
	{GX_E_ENCODING, ecCorruptData},
	{GX_E_IO, ecDiskError},
	{GX_E_IO, ecRpcFailed},
	{GX_E_BUSY, ecBusy},
	{GX_E_BUSY, ecServerBusy},
	{GX_E_BUSY, ecObjectLocked},
	{GX_E_STATE, ecNotInitialized},
	{GX_E_UNSUP, ecNotSupported},
	{GX_E_UNSUP, ecNotImplemented},
	{GX_E_INVAL, ecInvalidParam},
	{GX_E_NOTFOUND, ecNotFound},
	{GX_E_NOTFOUND, ecObjectDeleted},
	{GX_E_EXISTS, ecDuplicateName},
	{GX_E_EXISTS, ecDuplicateObject},
	{GX_E_TIMEOUT, ecTimeout},
	{GX_E_TIMEOUT, ecLockTimedOut},
	{GX_E_NOSPACE, ecOutOfDisk},
	{GX_E_NOSPACE, ecQuotaExceeded},
	{GX_E_INTERNAL, ecError},
};

gx_ec gx_ec_from_err(int err)
{
	for (size_t i = 0; i < COUNT(border); ++i)
		if (border[i].err == err)
			return GX_EC(border[i].code);
	return GX_EC(ecError);
}

int gx_ec_to_err(gx_ec e)
{
	if (!gx_ec_failed(e))
		return 0;
	for (size_t i = 0; i < COUNT(border); ++i)
		if (border[i].code == e.v)
			return border[i].err;
	return GX_E_INTERNAL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxmapi/prop-int.h"

struct type_row {
	uint16_t type;
	uint8_t kind, size;
	const char *name;
};

#define SINGLE(name, kind, size) {name, GX_KIND_##kind, size, #name}
#define MULTI(name, kind) {name, GX_KIND_##kind, 0, #name}

static const struct type_row types[] = {
	SINGLE(PtypUnspecified, NONE, 0),
	SINGLE(PtypNull, NONE, 0),
	SINGLE(PtypInteger16, I16, 2),
	SINGLE(PtypInteger32, I32, 4),
	SINGLE(PtypFloating32, F32, 4),
	SINGLE(PtypFloating64, F64, 8),
	SINGLE(PtypCurrency, I64, 8),
	SINGLE(PtypFloatingTime, F64, 8),
	SINGLE(PtypErrorCode, ERR, 4),
	SINGLE(PtypBoolean, BOOL, 1),
	SINGLE(PtypObject, BIN, 0),
	SINGLE(PtypInteger64, I64, 8),
	SINGLE(PtypString8, STR, 0),
	SINGLE(PtypString, STR, 0),
	SINGLE(PtypTime, TIME, 8),
	SINGLE(PtypGuid, GUID, 16),
	SINGLE(PtypServerId, BIN, 0),
	SINGLE(PtypRestriction, RESTR, 0),
	SINGLE(PtypRuleAction, BIN, 0),
	SINGLE(PtypBinary, BIN, 0),
	MULTI(PtypMultipleInteger16, I16),
	MULTI(PtypMultipleInteger32, I32),
	MULTI(PtypMultipleFloating32, F32),
	MULTI(PtypMultipleFloating64, F64),
	MULTI(PtypMultipleCurrency, I64),
	MULTI(PtypMultipleFloatingTime, F64),
	MULTI(PtypMultipleInteger64, I64),
	MULTI(PtypMultipleString8, STR),
	MULTI(PtypMultipleString, STR),
	MULTI(PtypMultipleTime, TIME),
	MULTI(PtypMultipleGuid, GUID),
	MULTI(PtypMultipleBinary, BIN),
};

static const struct type_row *find(uint16_t type)
{
	/* an instance of a multi-value column is known when the column is */
	if ((type & GX_MVI_FLAG) == GX_MVI_FLAG)
		type &= (uint16_t)~0x2000;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); ++i)
		if (types[i].type == type)
			return &types[i];
	return NULL;
}

/* Asked for every value of every row: the usual types do without the table. */
uint8_t gx_prop__kind(uint16_t type)
{
	switch (type) {
	case PtypString: return GX_KIND_STR;
	case PtypInteger32: return GX_KIND_I32;
	case PtypBinary: return GX_KIND_BIN;
	case PtypTime: return GX_KIND_TIME;
	case PtypBoolean: return GX_KIND_BOOL;
	}
	if (type & GX_PROW_EXTERN)
		return GX_KIND_BIN;
	const struct type_row *r = find(type);
	return r != NULL ? r->kind : (uint8_t)GX_KIND_BAD;
}

size_t gx_ptype_size(uint16_t type)
{
	const struct type_row *r = find(type);
	if (r != NULL && (type & GX_MVI_FLAG) == GX_MVI_FLAG)
		r = find(gx_prop__single(type));
	return r != NULL ? r->size : 0;
}

bool gx_ptype_known(uint16_t type)
{
	return find(type) != NULL;
}

const char *gx_ptype_name(uint16_t type)
{
	const struct type_row *r = find(type);
	return r != NULL ? r->name : NULL;
}

/*
 * PtypString8 and PtypString are one type here, since text is UTF-8 in both; the instance of a
 * multi-value column comes from the whole value.
 */
static uint16_t unify(uint16_t type)
{
	type &= (uint16_t)~GX_PROW_EXTERN;
	if ((type & GX_MVI_FLAG) == GX_MVI_FLAG)
		type &= (uint16_t)~0x2000;
	if (type == PtypString8 || type == PtypMultipleString8)
		return type + 1;
	return type;
}

bool gx_prop__matches(gx_proptag_t have, gx_proptag_t want)
{
	if (GX_PROP_ID(have) != GX_PROP_ID(want))
		return false;
	uint16_t w = unify(GX_PROP_TYPE(want));
	return w == PtypUnspecified || unify(GX_PROP_TYPE(have)) == w;
}

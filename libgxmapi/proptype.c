/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxmapi/prop-int.h"

#define MULTI_OK 0x80 /* PtypMultiple* of it exists */

/* By single type, plus one, so that gaps are 0: this is asked for every value of every row. */
static const uint8_t kinds[PtypBinary + 1] = {
	[PtypUnspecified] = GX_KIND_NONE + 1,
	[PtypNull] = GX_KIND_NONE + 1,
	[PtypInteger16] = (GX_KIND_I16 + 1) | MULTI_OK,
	[PtypInteger32] = (GX_KIND_I32 + 1) | MULTI_OK,
	[PtypFloating32] = (GX_KIND_F32 + 1) | MULTI_OK,
	[PtypFloating64] = (GX_KIND_F64 + 1) | MULTI_OK,
	[PtypCurrency] = (GX_KIND_I64 + 1) | MULTI_OK,
	[PtypFloatingTime] = (GX_KIND_F64 + 1) | MULTI_OK,
	[PtypErrorCode] = GX_KIND_ERR + 1,
	[PtypBoolean] = GX_KIND_BOOL + 1,
	[PtypObject] = GX_KIND_BIN + 1,
	[PtypInteger64] = (GX_KIND_I64 + 1) | MULTI_OK,
	[PtypString8] = (GX_KIND_STR + 1) | MULTI_OK,
	[PtypString] = (GX_KIND_STR + 1) | MULTI_OK,
	[PtypTime] = (GX_KIND_TIME + 1) | MULTI_OK,
	[PtypGuid] = (GX_KIND_GUID + 1) | MULTI_OK,
	[PtypServerId] = GX_KIND_BIN + 1,
	[PtypRestriction] = GX_KIND_RESTR + 1,
	[PtypRuleAction] = GX_KIND_BIN + 1,
	[PtypBinary] = (GX_KIND_BIN + 1) | MULTI_OK,
};

uint8_t gx_prop__kind(uint16_t type)
{
	if (type & GX_PROW_EXTERN)
		return GX_KIND_BIN;
	uint16_t single = gx_prop__single(type), multi = type & GX_MVI_FLAG;
	uint8_t k = single < sizeof(kinds) ? kinds[single] : 0;
	if (k == 0 || (multi != 0 && (!(k & MULTI_OK) || !(multi & GX_MV_FLAG))))
		return GX_KIND_BAD;
	return (k & (uint8_t)~MULTI_OK) - 1;
}

static const uint8_t kind_sizes[] = {
	[GX_KIND_I16] = 2, [GX_KIND_I32] = 4, [GX_KIND_I64] = 8, [GX_KIND_F32] = 4, [GX_KIND_F64] = 8,
	[GX_KIND_BOOL] = 1, [GX_KIND_ERR] = 4, [GX_KIND_TIME] = 8, [GX_KIND_GUID] = 16, [GX_KIND_BAD] = 0,
};

size_t gx_prop__kind_size(uint8_t kind)
{
	return kind_sizes[kind];
}

size_t gx_ptype_size(uint16_t type)
{
	return gx_prop__is_multi(type) ? 0 : kind_sizes[gx_prop__kind(type)];
}

bool gx_ptype_known(uint16_t type)
{
	return !(type & GX_PROW_EXTERN) && gx_prop__kind(type) != GX_KIND_BAD;
}

const char *gx_ptype_name(uint16_t type)
{
	/* an instance of a multi-value column has the column's name */
	if ((type & GX_MVI_FLAG) == GX_MVI_FLAG)
		type &= (uint16_t)~0x2000;
#define NAME(x) case x: return #x
	switch (type) {
	NAME(PtypUnspecified);
	NAME(PtypNull);
	NAME(PtypInteger16);
	NAME(PtypInteger32);
	NAME(PtypFloating32);
	NAME(PtypFloating64);
	NAME(PtypCurrency);
	NAME(PtypFloatingTime);
	NAME(PtypErrorCode);
	NAME(PtypBoolean);
	NAME(PtypObject);
	NAME(PtypInteger64);
	NAME(PtypString8);
	NAME(PtypString);
	NAME(PtypTime);
	NAME(PtypGuid);
	NAME(PtypServerId);
	NAME(PtypRestriction);
	NAME(PtypRuleAction);
	NAME(PtypBinary);
	NAME(PtypMultipleInteger16);
	NAME(PtypMultipleInteger32);
	NAME(PtypMultipleFloating32);
	NAME(PtypMultipleFloating64);
	NAME(PtypMultipleCurrency);
	NAME(PtypMultipleFloatingTime);
	NAME(PtypMultipleInteger64);
	NAME(PtypMultipleString8);
	NAME(PtypMultipleString);
	NAME(PtypMultipleTime);
	NAME(PtypMultipleGuid);
	NAME(PtypMultipleBinary);
	default: return NULL;
	}
#undef NAME
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

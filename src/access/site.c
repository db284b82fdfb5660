/* SPDX-License-Identifier: Apache-2.0 */
#include "access/site.h"

#include "access/token.h"

/* A dozen addresses of 2 kB and the scopes are more than any site has. */
#define SITE_MAX 65536

void
vl_site_init(struct vl_site *site)
{
    *site = (struct vl_site){.arena = vl_arena_of(SITE_MAX)};
}

void
vl_site_done(struct vl_site *site)
{
    vl_arena_done(&site->arena);
    vl_site_init(site);
}

struct vl_site
vl_site_take(struct vl_site *site)
{
    struct vl_site taken = *site;
    vl_site_init(site);
    return taken;
}

/*
 * @spec CL-14 SB-10: what is there has to be right, whether it was promised or
 * not; what was promised has to be there. Of a site without documents too: a
 * server could send the browser on to an honest authorization server, and
 * redeem its code. One that is there and empty is nobody's.
 */
bool
vl_iss_is_right(const struct vl_site *site, struct vl_str iss)
{
    return iss.p ? vl_str_eqz(iss, site->issuer) : !site->sends_iss;
}

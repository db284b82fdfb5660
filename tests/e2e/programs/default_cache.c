/* SPDX-License-Identifier: Apache-2.0
 *
 * Says what the default cache of a public client answers. Built against the
 * installed library by 36-library.test.mjs.
 */
#include <stdio.h>

#include <valet/entra.h>

int
main(void)
{
    const valet_client_options options = {
        .kind = VALET_CLIENT_PUBLIC,
        .client_id = "00000000-0000-4000-8000-000000000001",
        .tenant = "00000000-0000-4000-8000-000000000002",
        .authority_host = "http://127.0.0.1:9",
    };
    valet_client *client;
    valet_account_list list = {0};
    valet_error err = {0};
    if (valet_client_new(&options, &client, &err) == VALET_OK) {
        if (valet_accounts(client, &list, &err) == VALET_OK)
            printf("%zu accounts", list.count);
        valet_account_list_done(&list);
        valet_client_free(client);
    }
    puts(err.message);
    return 0;
}

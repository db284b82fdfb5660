/* SPDX-License-Identifier: Apache-2.0 */
#include "http/challenge.h"

#include "vl_test.h"

/* The challenges of a field as "Scheme token68 realm=VALUE|…"; "!" at the end
 * when what is left follows no grammar. */
static void
assert_reads(const char *text, const char *wanted)
{
    vl_auto(vl_buf) got = vl_buf_of(4096);
    struct vl_str field = vl_test_guarded(vl_str_z(text)), rest = field;
    struct vl_challenge challenge;
    enum vl_challenge_found found;
    while ((found = vl_challenge_next(&rest, &challenge)) ==
           VL_CHALLENGE_FOUND) {
        vl_buf_add(&got, challenge.scheme);
        if (challenge.token68.p) {
            vl_buf_addc(&got, ' ');
            vl_buf_add(&got, challenge.token68);
        }
        vl_auto(vl_buf) realm = vl_buf_of(4096);
        if (vl_challenge_get(&challenge, "realm", &realm, NULL) == VALET_OK) {
            vl_buf_addz(&got, " realm=");
            vl_buf_add(&got, vl_buf_str(&realm));
        }
        vl_buf_addc(&got, '|');
    }
    if (found == VL_CHALLENGE_BROKEN)
        vl_buf_addc(&got, '!');
    assert_string_equal(vl_buf_cstr(&got), wanted);
    vl_test_unguard(field);
}

static void
reads_the_challenges_of_a_field(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"", ""},
        {" ,\t, ", ""},
        {"Bearer", "Bearer|"},
        {"Basic realm=\"simple\"", "Basic realm=simple|"},
        {"Basic REALM=simple", "Basic realm=simple|"},
        {"Basic  realm \t=\t \"a b\"", "Basic realm=a b|"},
        {"Basic realm=\"\"", "Basic realm=|"},
        /* RFC 9110 section 11.6.1's own two. */
        {"Basic realm=\"simple\", Newauth realm=\"apps\", type=1, "
         "title=\"Login to \\\"apps\\\"\"",
         "Basic realm=simple|Newauth realm=apps|"},
        {"Newauth type=1, realm=\"a \\\"b\\\" \\\\, c=d\"",
         "Newauth realm=a \"b\" \\, c=d|"},
        {"Negotiate, Bearer realm=r", "Negotiate|Bearer realm=r|"},
        {"Negotiate abc==, Bearer realm=r", "Negotiate abc==|Bearer realm=r|"},
        {"Negotiate a/b+c-d._~=", "Negotiate a/b+c-d._~=|"},
        {"Bearer realm=", "Bearer realm=|"}, /* token68, not a parameter */
        {"A,B , C x=y,,,D realm=d,", "A|B|C|D realm=d|"},
        {"A x=1 , , realm=2,z=3", "A realm=2|"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        assert_reads(cases[i].text, cases[i].wanted);
}

static void
stops_at_what_follows_no_grammar(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"\"Bearer\"", "!"},
        {"Bearer=x", "!"},
        {"Bearer\tx=y", "!"},
        {"Bearer realm=\"open", "!"},
        {"Bearer realm=\"open\\\"", "!"},
        {"Bearer realm=\"open\\", "!"},
        {"Bearer realm=\"a\x01\"", "!"},
        {"Bearer realm=\"a\\\x01\"", "!"},
        {"Bearer realm=\"a\x7f\"", "!"},
        {"Bearer realm=a b=c", "!"},
        {"Bearer realm=\"a\"b=c", "!"},
        {"Bearer =x", "!"},
        {"Bearer a=b, @", "Bearer|!"},
        {"Bearer abc==x", "!"},
        {"Bearer a=b, c=", "Bearer|!"},
        {"Bearer \xc3\xa4=b", "!"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        assert_reads(cases[i].text, cases[i].wanted);
}

static void
a_parameter_is_asked_for_by_name(void **state)
{
    (void)state;
    struct vl_str rest = VL_STR("Bearer a=\"1\\2\", B=2, c=3, C=4");
    struct vl_challenge challenge;
    vl_auto(vl_buf) out = vl_buf_of(64), full = vl_buf_of(1);
    assert_int_equal(vl_challenge_next(&rest, &challenge), VL_CHALLENGE_FOUND);
    assert_ok(vl_challenge_get(&challenge, "b", &out, NULL));
    assert_ok(vl_challenge_get(&challenge, "A", &out, NULL));
    assert_str(vl_buf_str(&out), "212");
    assert_int_equal(vl_challenge_get(&challenge, "d", &out, NULL),
                     VALET_NOT_FOUND);
    assert_int_equal(vl_challenge_get(&challenge, "c", &out, NULL),
                     VALET_INVALID);
    assert_int_equal(vl_challenge_get(&challenge, "a", &full, NULL),
                     VALET_LIMIT);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_challenges_of_a_field),
        cmocka_unit_test(stops_at_what_follows_no_grammar),
        cmocka_unit_test(a_parameter_is_asked_for_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

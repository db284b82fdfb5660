/* SPDX-License-Identifier: Apache-2.0
 *
 * ECMA-262 section 22.2.1: `General_Category=`, `Script=` and
 * `Script_Extensions=` with their short forms, the values of the first alone,
 * and properties of two values. PCRE2 knows the short names of categories
 * only, takes a script's name alone for one, and has names of its own.
 */
#include <stdio.h>
#include <string.h>

#include "json/pattern_inside.h"

static const struct {
    const char *name, *code;
} categories[] = {
    {"Cased_Letter", "L&"},
    {"LC", "L&"},
    {"Close_Punctuation", "Pe"},
    {"Connector_Punctuation", "Pc"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Currency_Symbol", "Sc"},
    {"Dash_Punctuation", "Pd"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Enclosing_Mark", "Me"},
    {"Final_Punctuation", "Pf"},
    {"Format", "Cf"},
    {"Initial_Punctuation", "Pi"},
    {"Letter", "L"},
    {"Letter_Number", "Nl"},
    {"Line_Separator", "Zl"},
    {"Lowercase_Letter", "Ll"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Math_Symbol", "Sm"},
    {"Modifier_Letter", "Lm"},
    {"Modifier_Symbol", "Sk"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Open_Punctuation", "Ps"},
    {"Other", "C"},
    {"Other_Letter", "Lo"},
    {"Other_Number", "No"},
    {"Other_Punctuation", "Po"},
    {"Other_Symbol", "So"},
    {"Paragraph_Separator", "Zp"},
    {"Private_Use", "Co"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Spacing_Mark", "Mc"},
    {"Surrogate", "Cs"},
    {"Symbol", "S"},
    {"Titlecase_Letter", "Lt"},
    {"Unassigned", "Cn"},
    {"Uppercase_Letter", "Lu"},
};

static const char short_categories[] =
    "C Cc Cf Cn Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi "
    "Po Ps S Sc Sk Sm So Z Zl Zp Zs";

/* Those that PCRE2 knows too. */
static const char binary[] =
    "Any ASCII ASCII_Hex_Digit AHex Alphabetic Alpha Bidi_Control Bidi_C "
    "Bidi_Mirrored Bidi_M Case_Ignorable CI Cased Changes_When_Casefolded CWCF "
    "Changes_When_Casemapped CWCM Changes_When_Lowercased CWL "
    "Changes_When_Titlecased CWT Changes_When_Uppercased CWU Dash "
    "Default_Ignorable_Code_Point DI Deprecated Dep Diacritic Dia Emoji "
    "Emoji_Component EComp Emoji_Modifier EMod Emoji_Modifier_Base EBase "
    "Emoji_Presentation EPres Extended_Pictographic ExtPict Extender Ext "
    "Grapheme_Base Gr_Base Grapheme_Extend Gr_Ext Hex_Digit Hex ID_Continue "
    "IDC ID_Start IDS Ideographic Ideo Join_Control Join_C Lowercase Lower "
    "Math Noncharacter_Code_Point NChar Pattern_Syntax Pat_Syn "
    "Pattern_White_Space Pat_WS Quotation_Mark QMark Radical "
    "Regional_Indicator RI Sentence_Terminal STerm Soft_Dotted SD "
    "Terminal_Punctuation Term Unified_Ideograph UIdeo Uppercase Upper "
    "Variation_Selector VS White_Space space XID_Continue XIDC XID_Start XIDS";

static const char *
find_category(struct vl_str name, char room[3])
{
    for (size_t i = 0; i < VL_COUNT(categories); i++)
        if (vl_str_eqz(name, categories[i].name))
            return categories[i].code;
    if (name.n == 0 || name.n > 2 ||
        !vl_str_has_word(vl_str_z(short_categories), name))
        return NULL;
    (void)snprintf(room, 3, VL_STR_FMT, VL_STR_ARG(name));
    return room;
}

/* Of this form; whether there is one, PCRE2 says. */
static bool
is_script(struct vl_str name)
{
    bool good = name.n > 0 && name.n < 40;
    for (size_t i = 0; good && i < name.n; i++)
        good = vl_is_letter(name.p[i]) || name.p[i] == '_';
    return good;
}

bool
vl_pattern_property(struct vl_str name, char *ret, size_t size)
{
    char room[3];
    size_t equals = vl_str_index(name, '=');
    struct vl_str key = vl_str_head(name, equals);
    struct vl_str value = vl_str_from(name, equals + 1);
    bool is_alone = equals == name.n;
    bool is_extended =
        vl_str_eqz(key, "Script_Extensions") || vl_str_eqz(key, "scx");
    bool of_script =
        is_extended || vl_str_eqz(key, "Script") || vl_str_eqz(key, "sc");
    if (of_script && !is_alone) {
        (void)snprintf(ret, size, "%s=" VL_STR_FMT, is_extended ? "scx" : "sc",
                       VL_STR_ARG(value));
        return is_script(value);
    }
    if (!is_alone && !vl_str_eqz(key, "General_Category") &&
        !vl_str_eqz(key, "gc"))
        return false;
    const char *category = find_category(is_alone ? key : value, room);
    if (category)
        (void)snprintf(ret, size, "%s", category);
    else if (is_alone && vl_str_has_word(vl_str_z(binary), key))
        (void)snprintf(ret, size, VL_STR_FMT, VL_STR_ARG(key));
    else
        return false;
    return true;
}

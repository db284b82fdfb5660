# Warnings, hardening and the instrumented builds, in one place.
add_compile_options(
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual
  -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
  -Wno-overlength-strings -fno-common -fstack-protector-strong
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wduplicated-cond -Wlogical-op)
endif()
if(VALET_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options(-fcf-protection)
endif()
add_compile_options(-ftrivial-auto-var-init=zero)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 16)
  # clang 14 has the option only behind this one.
  add_compile_options(-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang)
endif()

if(VALET_SANITIZE)
  add_compile_options(-fsanitize=${VALET_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VALET_SANITIZE})
  add_compile_definitions(VL_SANITIZED) # freed memory has to be freed
else()
  add_compile_options(-fstack-clash-protection)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  # Debian's compilers may predefine another level; ours is the stricter one.
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
if(VALET_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(VALET_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

# Small functions of one room are called in the loops of another; only the
# link can inline them.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
# A twentieth of the room for the addresses that a start has to fill in.
include(CheckLinkerFlag)
check_linker_flag(C -Wl,-z,pack-relative-relocs VALET_PACKS_RELOCATIONS)
if(VALET_PACKS_RELOCATIONS)
  add_link_options(-Wl,-z,pack-relative-relocs)
endif()

# Pages compiled in: every *.html (and *.yaml, for a default set of data) of a
# folder becomes a byte array, with the one stylesheet in place of @STYLE@, and the Content-Security-Policy gets the
# hash of exactly these bytes.
#
#   valet_assets(web web/assets vl_web_assets)
#
# adds a table of that name (see web/asset.h) to a room or program. The second
# half of this file is what the build runs: cmake -P Assets.cmake.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(VALET_ASSETS_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
  function(valet_assets target folder symbol)
    if(NOT TARGET ${target})
      return()
    endif()
    set(folder ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
    set(style ${CMAKE_CURRENT_SOURCE_DIR}/web/assets/style.css)
    set(out ${CMAKE_BINARY_DIR}/assets/${symbol}.c)
    file(GLOB pages CONFIGURE_DEPENDS ${folder}/*.html ${folder}/*.yaml)
    add_custom_command(
      OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DSTYLE=${style}
              -DSYMBOL=${symbol} -DOUT=${out} -P ${VALET_ASSETS_SCRIPT}
      DEPENDS ${pages} ${style} ${VALET_ASSETS_SCRIPT}
      COMMENT "pages of ${target}")
    target_sources(${target} PRIVATE ${out})
  endfunction()
  return()
endif()

cmake_policy(VERSION 3.25)

# Base64 of a text of hexadecimal digits.
function(to_base64 hex out)
  set(digits "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  set(text "")
  string(LENGTH "${hex}" length)
  set(at 0)
  while(at LESS length)
    string(SUBSTRING "${hex}" ${at} 6 group)
    string(LENGTH "${group}" nibbles)
    string(SUBSTRING "${group}0000" 0 6 group)
    math(EXPR value "0x${group}")
    math(EXPR wanted "${nibbles} / 2 + 1")
    foreach(index RANGE 3)
      if(index LESS wanted)
        math(EXPR digit "(${value} >> (18 - 6 * ${index})) & 63")
        string(SUBSTRING "${digits}" ${digit} 1 letter)
        string(APPEND text "${letter}")
      else()
        string(APPEND text "=")
      endif()
    endforeach()
    math(EXPR at "${at} + 6")
  endwhile()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

file(READ ${STYLE} style)
string(SHA256 hash "${style}")
to_base64(${hash} hash)

file(GLOB pages ${FOLDER}/*.html ${FOLDER}/*.yaml)
list(SORT pages)
set(arrays "")
set(rows "")
set(number 0)
foreach(page ${pages})
  cmake_path(GET page STEM name)
  file(READ ${page} text)
  string(REPLACE "@STYLE@" "${style}" text "${text}")
  string(HEX "${text}" bytes)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND arrays
         "static const unsigned char page_${number}[] = {${bytes}};\n")
  string(APPEND rows
         "    {\"${name}\", page_${number}, sizeof page_${number}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT}
     "/* Made from the pages by cmake/Assets.cmake. */\n"
     "#include \"web/asset.h\"\n\n${arrays}\n"
     "const struct vl_asset ${SYMBOL}[] = {\n${rows}    {NULL, NULL, 0},\n};\n")
if(SYMBOL STREQUAL "vl_web_assets")
  file(APPEND ${OUT}
       "\nconst char vl_web_content_policy[] =\n"
       "    \"default-src 'none'; style-src 'sha256-${hash}'; \"\n"
       "    \"form-action 'self'; frame-ancestors 'none'; base-uri 'none'\";\n")
endif()

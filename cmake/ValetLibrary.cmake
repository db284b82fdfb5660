# libvalet, for programs in C: the rooms that implement include/valet/*.h and
# what of those below them they use.
#
#   valet_library(ROOMS validate HEADERS status validate
#                 REQUIRES libuv>=1.44)
#
# HEADERS are installed with their man pages; REQUIRES are the packages
# (pkg-config) that who links statically needs as well.
#
# Shared and static library are made of one object, linked and optimised as a
# whole, in which nothing but valet_… is visible: an archive of the rooms would
# show all that one room offers another, and a release build's hold no machine
# code at all. Gives the targets libvalet and libvalet_static, unless the build is
# instrumented.
function(valet_library)
  cmake_parse_arguments(M "" "" "ROOMS;HEADERS;REQUIRES" ${ARGN})
  if(VALET_SANITIZE OR VALET_FUZZ OR VALET_COVERAGE)
    return()
  endif()

  valet_below(below libs ${M_ROOMS})
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  separate_arguments(flags UNIX_COMMAND "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${type}}")
  # Linked to machine code, not to what a later link would compile.
  if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND flags -flto=auto -flinker-output=nolto-rel)
  elseif(CMAKE_INTERPROCEDURAL_OPTIMIZATION)
    list(APPEND flags -flto=thin)
  endif()
  list(TRANSFORM M_ROOMS REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE whole)
  list(TRANSFORM below REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE used)
  # What is shown may lie in a lower room, too.
  set(list ${CMAKE_SOURCE_DIR}/packaging/libvalet.symbols)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  file(STRINGS ${list} shown REGEX "^ valet_")
  list(TRANSFORM shown REPLACE "^ ([a-z0-9_]+)@.*" "-Wl,-u,\\1")

  set(object ${CMAKE_BINARY_DIR}/libvalet.o)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_C_COMPILER} ${flags} -fPIC -ffunction-sections -fdata-sections
            -r -nostdlib -o ${object} ${shown} -Wl,--whole-archive ${whole} -Wl,--no-whole-archive
            -Wl,--start-group ${used} -Wl,--end-group
    COMMAND ${CMAKE_OBJCOPY} --wildcard "--keep-global-symbol=valet_*" ${object}
    DEPENDS ${M_ROOMS} ${below} COMMENT "libvalet.o" VERBATIM)

  set(map ${CMAKE_SOURCE_DIR}/packaging/libvalet.map)
  add_custom_target(libvalet_object DEPENDS ${object}) # once, for both
  add_library(libvalet SHARED ${object})
  add_library(libvalet_static STATIC ${object})
  add_dependencies(libvalet libvalet_object)
  add_dependencies(libvalet_static libvalet_object)
  set_target_properties(libvalet libvalet_static PROPERTIES LINKER_LANGUAGE C OUTPUT_NAME valet
    INTERPROCEDURAL_OPTIMIZATION OFF
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR}
    ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR})
  set_target_properties(libvalet PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0 LINK_DEPENDS ${map}
    EXPORT_NAME valet VALET_HEADERS "${M_HEADERS}" VALET_REQUIRES "${M_REQUIRES}")
  set_target_properties(libvalet_static PROPERTIES EXPORT_NAME static)
  foreach(target libvalet libvalet_static)
    target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  endforeach()
  target_link_libraries(libvalet_static INTERFACE $<INSTALL_INTERFACE:PkgConfig::valet_private>)
  target_link_libraries(libvalet PRIVATE ${libs})
  # Never unloaded: jansson calls back into it.
  target_link_options(libvalet PRIVATE -Wl,--version-script=${map} -Wl,--gc-sections
    -Wl,-z,defs -Wl,-z,nodelete)
endfunction()

# The rooms that these stand on, and the foreign libraries of all of them.
function(valet_below ret_below ret_libs)
  set(rooms ${ARGN})
  set(below "")
  set(libs Threads::Threads)
  while(rooms)
    list(POP_FRONT rooms room)
    get_target_property(deps ${room} VALET_DEPS)
    get_target_property(foreign ${room} VALET_LIBS)
    list(APPEND libs ${foreign})
    foreach(dep ${deps})
      if(NOT dep IN_LIST below AND NOT dep IN_LIST ARGN)
        list(APPEND below ${dep})
        list(APPEND rooms ${dep})
      endif()
    endforeach()
  endwhile()
  list(REMOVE_DUPLICATES libs)
  set(${ret_below} ${below} PARENT_SCOPE)
  set(${ret_libs} ${libs} PARENT_SCOPE)
endfunction()

# Tells a source file where helpers and modules lie when installed: as seen from
# the programs and from the library, which may be moved together, and at all.
function(valet_places file)
  set(helpers ${CMAKE_INSTALL_FULL_LIBDIR}/mcp-valet)
  file(RELATIVE_PATH from_program ${CMAKE_INSTALL_FULL_BINDIR} ${helpers})
  file(RELATIVE_PATH from_library ${CMAKE_INSTALL_FULL_LIBDIR} ${helpers})
  set_property(SOURCE ${file} PROPERTY COMPILE_DEFINITIONS VL_HELPERS="${helpers}"
    VL_HELPERS_FROM_PROGRAM="${from_program}" VL_HELPERS_FROM_LIBRARY="${from_library}")
endfunction()

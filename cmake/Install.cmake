# cmake --install FOLDER: the server (component valet), libvalet and the modules
# that both load (library), what it takes to build with it (development). The
# stand-in tenant has known passwords and is no part of a production install; it
# comes with --component tenant only.
# A build with sanitizers has no library, is not for installing, nor runs
# everywhere.
if(NOT TARGET libvalet OR NOT TARGET mcp-valet OR NOT TARGET mcp-valet-tenant)
  return()
endif()

# The sample configuration, written by the program itself.
set(sample ${CMAKE_BINARY_DIR}/doc/valet.yaml)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/doc)
add_custom_command(OUTPUT ${sample}
  COMMAND mcp-valet config sample > ${sample} DEPENDS mcp-valet
  COMMENT "sample configuration")
add_custom_target(sample ALL DEPENDS ${sample})

set(completions ${CMAKE_SOURCE_DIR}/completions)
set(bash_folder ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
set(zsh_folder ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
set(man ${CMAKE_SOURCE_DIR}/docs/man)

install(TARGETS mcp-valet RUNTIME COMPONENT valet)
# `core/installed` finds them.
get_property(helpers GLOBAL PROPERTY VALET_HELPER_PROGRAMS)
install(TARGETS ${helpers} RUNTIME DESTINATION ${VALET_HELPERS} COMPONENT valet)
install(FILES ${man}/mcp-valet.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT valet)
install(FILES ${man}/mcp-valet.yaml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 COMPONENT valet)
install(FILES ${completions}/mcp-valet.bash DESTINATION ${bash_folder} RENAME mcp-valet COMPONENT valet)
install(FILES ${completions}/_mcp-valet DESTINATION ${zsh_folder} COMPONENT valet)
install(FILES ${sample} ${CMAKE_SOURCE_DIR}/LICENSE
              ${CMAKE_SOURCE_DIR}/CHANGELOG.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT valet)

# libvalet. `core/installed` finds the modules beside it.
get_property(modules GLOBAL PROPERTY VALET_LOADABLES)
install(TARGETS ${modules} LIBRARY DESTINATION ${VALET_MODULES} COMPONENT library)
install(TARGETS libvalet EXPORT valetShared
        LIBRARY COMPONENT library NAMELINK_COMPONENT development)
install(TARGETS libvalet_static EXPORT valetStatic ARCHIVE COMPONENT development)
get_target_property(headers libvalet VALET_HEADERS)
foreach(name ${headers})
  install(FILES ${CMAKE_SOURCE_DIR}/include/valet/${name}.h
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/valet COMPONENT development)
  if(EXISTS ${man}/valet_${name}.3)
    install(FILES ${man}/valet_${name}.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3
            COMPONENT development)
  endif()
endforeach()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
        COMPONENT development)

# Found by pkg-config and by find_package(valet), wherever the prefix lies.
include(CMakePackageConfigHelpers)
set(package ${CMAKE_BINARY_DIR}/package)
set(cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/valet)
get_target_property(REQUIRED_MODULES libvalet VALET_REQUIRES)
list(JOIN REQUIRED_MODULES ", " REQUIRES_PRIVATE)
string(REPLACE ">=" " >= " REQUIRES_PRIVATE "${REQUIRES_PRIVATE}")
list(JOIN REQUIRED_MODULES " " REQUIRED_MODULES)
file(RELATIVE_PATH PREFIX_FROM_PKGCONFIG /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" PREFIX_FROM_PKGCONFIG "${PREFIX_FROM_PKGCONFIG}")
configure_file(${CMAKE_SOURCE_DIR}/packaging/valet.pc.in ${package}/valet.pc @ONLY)
configure_package_config_file(${CMAKE_SOURCE_DIR}/packaging/valetConfig.cmake.in
  ${package}/valetConfig.cmake INSTALL_DESTINATION ${cmake_folder} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${package}/valetConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${package}/valet.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT development)
install(FILES ${package}/valetConfig.cmake ${package}/valetConfigVersion.cmake
        DESTINATION ${cmake_folder} COMPONENT development)
foreach(set Shared Static)
  install(EXPORT valet${set} NAMESPACE valet:: DESTINATION ${cmake_folder}
          COMPONENT development)
endforeach()

# The unit names the program by its full path, which is known only now.
install(CODE "
  set(BINDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
  configure_file(\"${CMAKE_SOURCE_DIR}/packaging/mcp-valet.service\"
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/mcp-valet.service\" @ONLY
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  message(STATUS \"Installing: \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/mcp-valet.service\")
  list(APPEND CMAKE_INSTALL_MANIFEST_FILES
    \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/mcp-valet.service\")"
  COMPONENT valet)

install(TARGETS mcp-valet-tenant RUNTIME COMPONENT tenant EXCLUDE_FROM_ALL)
install(FILES ${man}/mcp-valet-tenant.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
        COMPONENT tenant EXCLUDE_FROM_ALL)
install(FILES ${completions}/mcp-valet-tenant.bash DESTINATION ${bash_folder}
        RENAME mcp-valet-tenant COMPONENT tenant EXCLUDE_FROM_ALL)
install(FILES ${completions}/_mcp-valet-tenant DESTINATION ${zsh_folder}
        COMPONENT tenant EXCLUDE_FROM_ALL)

# cmake --install FOLDER: the server and what belongs to it. The stand-in
# tenant has known passwords and is no part of a production install; it comes
# with --component tenant only.
include(GNUInstallDirs)
# A build with sanitizers is not for installing, nor runs everywhere.
if(VALET_SANITIZE OR NOT TARGET mcp-valet OR NOT TARGET mcp-valet-tenant)
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
# Found beside the program: ../lib/mcp-valet/modules of its folder.
install(TARGETS keep_secret_service LIBRARY DESTINATION lib/mcp-valet/modules
        COMPONENT valet)
install(FILES ${man}/mcp-valet.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT valet)
install(FILES ${man}/valet_mcp.3 ${man}/valet_validate.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT valet)
install(FILES ${man}/mcp-valet.yaml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 COMPONENT valet)
install(FILES ${completions}/mcp-valet.bash DESTINATION ${bash_folder} RENAME mcp-valet COMPONENT valet)
install(FILES ${completions}/_mcp-valet DESTINATION ${zsh_folder} COMPONENT valet)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/valet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT valet FILES_MATCHING PATTERN *.h)
install(FILES ${sample} ${CMAKE_SOURCE_DIR}/LICENSE
              ${CMAKE_SOURCE_DIR}/CHANGELOG.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT valet)
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

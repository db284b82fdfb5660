# One room of the house = one static library whose include path holds only
# itself, its declared dependencies and the public headers. A wrong include
# (upward or sideways) therefore stops at "No such file".
#
#   valet_module(conf DEPS io json LIBS PkgConfig::YAML)
#
# Sources are the folder's *.c. DEPS pass on: whoever may see http/ may also
# see what http/ stands on. LIBS are foreign libraries, for this room alone.
function(valet_module name)
  cmake_parse_arguments(M "" "" "DEPS;LIBS" ${ARGN})
  set(stage ${CMAKE_BINARY_DIR}/inc/${name})
  file(MAKE_DIRECTORY ${stage})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${stage}/${name} SYMBOLIC)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c)
  add_library(${name} STATIC ${sources})
  set_target_properties(${name} PROPERTIES OUTPUT_NAME valet_${name} LINKER_LANGUAGE C)
  target_include_directories(${name} PUBLIC ${stage} ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(${name} PUBLIC ${M_DEPS} PRIVATE ${M_LIBS})
  set_target_properties(${name} PROPERTIES VALET_DEPS "${M_DEPS}" VALET_LIBS "${M_LIBS}")
endfunction()

# A module that is loaded at run time, so that a foreign library comes into the
# processes that use it and no others: the folder's *.c, with the headers of
# its room, and nothing of the house linked in. Left in the build where it lies
# when installed.
#
#   valet_loadable(keep_secret_service keep/modules keep PkgConfig::SECRET)
function(valet_loadable name folder room)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.c)
  add_library(${name} MODULE ${sources})
  target_include_directories(${name} PRIVATE ${CMAKE_BINARY_DIR}/inc/${room}
                             ${CMAKE_BINARY_DIR}/inc/core ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(${name} PRIVATE Threads::Threads ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${VALET_MODULES})
  set_property(GLOBAL APPEND PROPERTY VALET_LOADABLES ${name})
endfunction()

# All of a program but its main.c, so that tests can link it like a room.
function(valet_parts name folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.c)
  list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/main.c)
  add_library(${name} STATIC ${sources})
  set_target_properties(${name} PROPERTIES OUTPUT_NAME valet_${name})
  target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARGN})
endfunction()

# A program: the folder's *.c on top of the rooms it names; its main.c alone
# when it has parts.
function(valet_program name folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.c)
  cmake_path(GET folder FILENAME parts)
  if(TARGET ${parts})
    set(sources ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/main.c)
  endif()
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARGN})
endfunction()

# A program that another one runs, and nobody by hand. Left in the build where it
# lies when installed, and built with the program that runs it.
#
#   valet_helper(mcp-valet mcp-valet-local apps/local command client)
function(valet_helper program name folder)
  valet_program(${name} ${folder} ${ARGN})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${VALET_HELPERS})
  add_dependencies(${program} ${name})
  set_property(GLOBAL APPEND PROPERTY VALET_HELPER_PROGRAMS ${name})
endfunction()

# Every tests/unit/<room>/test_*.c is a program of its own that links its room
# only, so an upward call does not even link.
function(valet_unit_tests)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/unit/*/test_*.c)
  foreach(file ${files})
    cmake_path(GET file STEM stem)
    cmake_path(GET file PARENT_PATH folder)
    cmake_path(GET folder FILENAME room)
    set(target ${room}_${stem})
    add_executable(${target} ${file})
    target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/harness)
    target_link_libraries(${target} PRIVATE ${room} PkgConfig::CMOCKA Threads::Threads)
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${room}/${stem} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set_tests_properties(${room}/${stem} PROPERTIES TIMEOUT 120 LABELS unit
      ENVIRONMENT "VALET_MODULES=${CMAKE_BINARY_DIR}/${VALET_MODULES};VALET_PROGRAMS=${CMAKE_BINARY_DIR}/e2e")
  endforeach()
endfunction()

# Every tests/fuzz/<room>/fuzz_*.c has seeds in the folder fuzz_*.seeds beside
# it. Without clang's fuzzer the seeds are replayed by a plain main().
function(valet_fuzz_targets)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/*/fuzz_*.c)
  foreach(file ${files})
    cmake_path(GET file STEM stem)
    cmake_path(GET file PARENT_PATH folder)
    cmake_path(GET folder FILENAME room)
    set(target ${room}_${stem})
    add_executable(${target} ${file})
    target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/harness)
    target_link_libraries(${target} PRIVATE ${room} Threads::Threads)
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzzers)
    if(VALET_FUZZ)
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    else()
      target_sources(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/harness/replay.c)
      add_test(NAME ${room}/${stem}_seeds COMMAND ${target} ${folder}/${stem}.seeds)
      set_tests_properties(${room}/${stem}_seeds PROPERTIES TIMEOUT 120 LABELS fuzz)
    endif()
  endforeach()
endfunction()

# Rings: unit (in memory and temporary folders, one executable a layer), cli (the built command,
# without servers), integration (real servers). ctest -L RING runs one of them.
find_package(GTest REQUIRED)
include(GoogleTest)

# Helpers that tests of several layers share: sources named *_testing.cc beside what they help with.
file(GLOB_RECURSE testing_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/*_testing.cc")
add_library(openedx_backup_testing STATIC ${testing_sources} "${PROJECT_SOURCE_DIR}/cmake/testing_anchor.cc")
target_link_libraries(openedx_backup_testing PUBLIC openedx_backup GTest::gtest)
target_compile_definitions(openedx_backup_testing PUBLIC
  OPENEDX_BACKUP_FIXTURES="${PROJECT_SOURCE_DIR}/tests/fixtures")

# The tests' own code, matchers above all, takes most of a sanitizer build's time: it is not optimised
# (a third less), and UBSan does not look at each access through a pointer there (half of what is
# left), where AddressSanitizer catches the same. The library under test keeps every check.
set(sanitize_tests "")
if(OPENEDX_BACKUP_SANITIZE)
  set(sanitize_tests -O0)
endif()
if(OPENEDX_BACKUP_SANITIZE MATCHES "undefined")
  list(APPEND sanitize_tests -fno-sanitize=null,alignment,vptr,object-size)
endif()

# add_test_ring(NAME RING [LOCK what tests share: one of them runs at a time] SOURCES source…)
function(add_test_ring name ring)
  cmake_parse_arguments(arg "" LOCK SOURCES ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  # Of the sources, as a target's own options come before those of the libraries it links.
  set_property(SOURCE ${arg_SOURCES} PROPERTY COMPILE_OPTIONS ${sanitize_tests})
  target_link_libraries(${name} PRIVATE openedx_backup_testing GTest::gtest_main GTest::gmock)
  set(properties LABELS ${ring})
  if(arg_LOCK)
    list(APPEND properties RESOURCE_LOCK ${arg_LOCK})
  endif()
  gtest_discover_tests(${name} PROPERTIES ${properties} DISCOVERY_TIMEOUT 60)
endfunction()

# What the sanitizer builds need: no servers, no generator, no benchmarks.
add_custom_target(unit_tests)
foreach(layer base stream archive mysql mongodb files http report store engine cli)
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${layer}/*_test.cc")
  if(tests)
    add_test_ring(${layer}_tests unit SOURCES ${tests})
    add_dependencies(unit_tests ${layer}_tests)
  endif()
endforeach()

# One executable a folder, so that a change in one part does not link all of them. Those of the
# databases share their servers; those of buckets measure when a connection stalls.
foreach(part mysql mongodb s3 report engine cli)
  file(GLOB tests CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/integration/${part}/*.cc")
  if(tests)
    set(lock databases)
    if(part STREQUAL "s3")
      set(lock buckets)
    elseif(part STREQUAL "report")
      set(lock pushgateway)
    endif()
    add_test_ring(${part}_integration_tests integration LOCK ${lock} SOURCES ${tests})
  endif()
endforeach()

# The built command as a user runs it, without servers.
file(GLOB tests CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/cli/*.cc")
if(tests)
  add_test_ring(cli_black_box_tests cli SOURCES ${tests})
  add_dependencies(cli_black_box_tests openedx-backup)
  target_compile_definitions(cli_black_box_tests PRIVATE
    OPENEDX_BACKUP_COMMAND="$<TARGET_FILE:openedx-backup>")
endif()

add_subdirectory(testbed/generator)

# Whole round trips run the built command, and the generator as an independent witness.
foreach(part s3 engine)
  add_dependencies(${part}_integration_tests openedx-backup)
  target_compile_definitions(${part}_integration_tests PRIVATE
    OPENEDX_BACKUP_BINARY="$<TARGET_FILE:openedx-backup>")
endforeach()
add_dependencies(engine_integration_tests site-generator)
target_compile_definitions(engine_integration_tests PRIVATE
  SITE_GENERATOR_BINARY="$<TARGET_FILE:site-generator>")

# Moves files for bench/s3.
add_executable(store-copy bench/store_copy.cc)
target_link_libraries(store-copy PRIVATE openedx_backup_testing)

# Compiler flags that every target of ours shares.
add_library(openedx_backup_settings INTERFACE)
target_compile_options(openedx_backup_settings INTERFACE -Wall -Wextra -Wconversion -Wno-psabi)
# GCC 12 optimising warns of overlaps within its own strings (bug 105329).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(openedx_backup_settings INTERFACE $<$<CONFIG:Release>:-Wno-restrict>)
endif()
if(OPENEDX_BACKUP_WERROR)
  target_compile_options(openedx_backup_settings INTERFACE -Werror)
endif()
if(OPENEDX_BACKUP_SANITIZE)
  target_compile_options(openedx_backup_settings INTERFACE
    -fsanitize=${OPENEDX_BACKUP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(openedx_backup_settings INTERFACE -fsanitize=${OPENEDX_BACKUP_SANITIZE})
endif()

# A warm ccache makes the sanitizer builds, which compile everything again, affordable.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

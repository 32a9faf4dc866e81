# What `make install` and `make deb` install: the command, its manual page and completions (made from
# the command's own table of settings), the documents and the licence.
include(GNUInstallDirs)

set(generated_files "")
foreach(pair man:openedx-backup.1 bash:openedx-backup.bash zsh:_openedx-backup fish:openedx-backup.fish)
  string(REPLACE ":" ";" pair "${pair}")
  list(GET pair 0 kind)
  list(GET pair 1 file)
  add_custom_command(
    OUTPUT "${PROJECT_BINARY_DIR}/share/${file}"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${PROJECT_BINARY_DIR}/share"
    COMMAND openedx-backup generate ${kind} > "${PROJECT_BINARY_DIR}/share/${file}"
    DEPENDS openedx-backup
    VERBATIM)
  list(APPEND generated_files "${PROJECT_BINARY_DIR}/share/${file}")
endforeach()

# Compressed as Debian's policy wants it; without the time of day in it, so that equal sources make an
# equal package.
find_program(GZIP gzip REQUIRED)
function(install_gzipped from to destination)
  set(file "${PROJECT_BINARY_DIR}/share/${to}.gz")
  add_custom_command(
    OUTPUT "${file}"
    COMMAND "${GZIP}" -9 -n -c "${from}" > "${file}"
    DEPENDS "${from}"
    VERBATIM)
  list(APPEND generated_files "${file}")
  set(generated_files "${generated_files}" PARENT_SCOPE)
  install(FILES "${file}" DESTINATION "${destination}")
endfunction()
install_gzipped("${PROJECT_BINARY_DIR}/share/openedx-backup.1" openedx-backup.1
  ${CMAKE_INSTALL_MANDIR}/man1)
install_gzipped("${PROJECT_SOURCE_DIR}/CHANGELOG.md" changelog
  ${CMAKE_INSTALL_DATADIR}/doc/openedx-backup)
add_custom_target(share_files ALL DEPENDS ${generated_files})

install(TARGETS openedx-backup RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES "${PROJECT_BINARY_DIR}/share/openedx-backup.bash"
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME openedx-backup)
install(FILES "${PROJECT_BINARY_DIR}/share/openedx-backup.fish"
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
# zsh looks into vendor-completions below /usr and into site-functions below /usr/local; the prefix is
# known at installation only.
install(CODE "
  set(folder site-functions)
  if(CMAKE_INSTALL_PREFIX MATCHES \"/usr/?$\")
    set(folder vendor-completions)
  endif()
  file(INSTALL \"${PROJECT_BINARY_DIR}/share/_openedx-backup\"
    DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/zsh/\${folder}\")")
install(FILES LICENSE README.md packaging/copyright
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/openedx-backup)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/openedx-backup)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME openedx-backup)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
# Whoever builds the package answers for it, as Debian's tools have it; "invalid" is nobody's domain.
if(DEFINED ENV{DEBEMAIL} AND DEFINED ENV{DEBFULLNAME})
  set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
else()
  set(CPACK_PACKAGE_CONTACT "the authors of openedx-backup <nobody@openedx-backup.invalid>")
endif()
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, tzdata")
include(CPack)

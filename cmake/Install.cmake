include(GNUInstallDirs)
install(TARGETS openedx-backup RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# What `cmake --install` leaves, all below the prefix: bin, lib/systemd, lib/sysusers.d, share.

install(TARGETS postern RUNTIME DESTINATION bin)
# Its own path stands in the unit, and the prefix may be named as late as at the install.
install(CODE "set(POSTERN_PACKAGING \"${PROJECT_SOURCE_DIR}/src/packaging\")")
install(CODE [[
  set(POSTERN_BINDIR "${CMAKE_INSTALL_PREFIX}/bin")
  set(_unit "${CMAKE_INSTALL_PREFIX}/lib/systemd/system/postern.service")
  message(STATUS "Installing: $ENV{DESTDIR}${_unit}")
  configure_file("${POSTERN_PACKAGING}/postern.service.in" "$ENV{DESTDIR}${_unit}" @ONLY
                 NO_SOURCE_PERMISSIONS)
]])
install(FILES src/packaging/postern.sysusers DESTINATION lib/sysusers.d RENAME postern.conf)
install(FILES src/packaging/postern.1 DESTINATION share/man/man1)
install(FILES src/packaging/postern.toml.5 DESTINATION share/man/man5)
install(FILES src/packaging/postern.toml LICENSE DESTINATION share/doc/postern)
install(DIRECTORY rules/ DESTINATION share/doc/postern/rules FILES_MATCHING PATTERN "*.toml"
        PATTERN "quickstart" EXCLUDE)

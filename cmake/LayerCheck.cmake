# Fails the build when a layer includes a header of a layer that it may not know.
# The table is docs/design.md's; "who knows whom" is kept in check_layers.cmake.
add_custom_target(layer_check ALL
  COMMAND ${CMAKE_COMMAND} -D SOURCE_DIR=${PROJECT_SOURCE_DIR}/src
          -P ${PROJECT_SOURCE_DIR}/cmake/check_layers.cmake
  COMMENT "Checking the layers"
  VERBATIM)

# Finds BoringSSL and nothing else that calls itself libssl.
#
# Looks in -DBoringSSL_ROOT=DIR when given (DIR/include, DIR/lib or DIR itself), else in the place of
# Debian's android-libboringssl-dev. System OpenSSL is never taken: it has no is_boringssl.h.
# Gives the targets BoringSSL::Crypto and BoringSSL::SSL and the variable BoringSSL_VERSION (the API version).

if(DEFINED BoringSSL_ROOT AND NOT "${BoringSSL_ROOT}" STREQUAL "${_BoringSSL_LAST_ROOT}")
  unset(BoringSSL_INCLUDE_DIR CACHE)
  unset(BoringSSL_SSL_LIBRARY CACHE)
  unset(BoringSSL_CRYPTO_LIBRARY CACHE)
endif()
set(_BoringSSL_LAST_ROOT "${BoringSSL_ROOT}" CACHE INTERNAL "root of the last search")

if(BoringSSL_ROOT)
  set(_include_places "${BoringSSL_ROOT}/include")
  set(_library_places "${BoringSSL_ROOT}/lib" "${BoringSSL_ROOT}" "${BoringSSL_ROOT}/build"
                      "${BoringSSL_ROOT}/build/ssl" "${BoringSSL_ROOT}/build/crypto")
else()
  set(_include_places /usr/include/android)
  set(_library_places "/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/android")
endif()

find_path(BoringSSL_INCLUDE_DIR openssl/is_boringssl.h PATHS ${_include_places} NO_DEFAULT_PATH)
find_library(BoringSSL_SSL_LIBRARY ssl PATHS ${_library_places} NO_DEFAULT_PATH)
find_library(BoringSSL_CRYPTO_LIBRARY crypto PATHS ${_library_places} NO_DEFAULT_PATH)

if(BoringSSL_INCLUDE_DIR)
  file(STRINGS "${BoringSSL_INCLUDE_DIR}/openssl/base.h" _line
       REGEX "^#define BORINGSSL_API_VERSION [0-9]+")
  string(REGEX REPLACE "^#define BORINGSSL_API_VERSION ([0-9]+).*" "\\1" BoringSSL_VERSION "${_line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  BoringSSL
  REQUIRED_VARS BoringSSL_SSL_LIBRARY BoringSSL_CRYPTO_LIBRARY BoringSSL_INCLUDE_DIR
  VERSION_VAR BoringSSL_VERSION
  REASON_FAILURE_MESSAGE "install android-libboringssl-dev or give -DBoringSSL_ROOT=DIR")

if(BoringSSL_FOUND AND NOT TARGET BoringSSL::SSL)
  find_package(Threads REQUIRED)
  add_library(BoringSSL::Crypto UNKNOWN IMPORTED)
  set_target_properties(
    BoringSSL::Crypto
    PROPERTIES IMPORTED_LOCATION "${BoringSSL_CRYPTO_LIBRARY}"
               INTERFACE_INCLUDE_DIRECTORIES "${BoringSSL_INCLUDE_DIR}"
               INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS}")
  add_library(BoringSSL::SSL UNKNOWN IMPORTED)
  set_target_properties(
    BoringSSL::SSL PROPERTIES IMPORTED_LOCATION "${BoringSSL_SSL_LIBRARY}"
                              INTERFACE_INCLUDE_DIRECTORIES "${BoringSSL_INCLUDE_DIR}"
                              INTERFACE_LINK_LIBRARIES BoringSSL::Crypto)
endif()
mark_as_advanced(BoringSSL_INCLUDE_DIR BoringSSL_SSL_LIBRARY BoringSSL_CRYPTO_LIBRARY)

# Warnings, hardening and sanitizers, once for every target.

add_library(postern_options INTERFACE)
target_compile_options(
  postern_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wformat=2
                            -Wimplicit-fallthrough -Werror -fno-delete-null-pointer-checks)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC bug 105651: false alarms on "literal" + std::string from -O3 on.
  target_compile_options(postern_options INTERFACE -Wno-restrict)
endif()

if(POSTERN_SANITIZE STREQUAL "address")
  target_compile_options(postern_options INTERFACE -fsanitize=address,undefined
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(postern_options INTERFACE -fsanitize=address,undefined)
elseif(POSTERN_SANITIZE STREQUAL "thread")
  target_compile_options(postern_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(postern_options INTERFACE -fsanitize=thread)
elseif(NOT POSTERN_SANITIZE STREQUAL "")
  message(FATAL_ERROR "POSTERN_SANITIZE is '${POSTERN_SANITIZE}'; it may be 'address' or 'thread'")
elseif(NOT POSTERN_FUZZ)
  target_compile_options(
    postern_options
    INTERFACE -D_GLIBCXX_ASSERTIONS -fstack-protector-strong -fstack-clash-protection
              -fcf-protection=full
              # clang 14 has it, but only behind a flag that says it will go
              $<$<CXX_COMPILER_ID:GNU>:-ftrivial-auto-var-init=zero>
              $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
endif()
if(POSTERN_FUZZ)
  target_compile_options(postern_options INTERFACE -D_GLIBCXX_ASSERTIONS
                         -fsanitize=fuzzer-no-link,address,undefined
                         -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(postern_options INTERFACE -fsanitize=address,undefined)
endif()

# A system libssl beside BoringSSL's is the one clash that must never link.
set(POSTERN_LINK_HARDENING -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed,--fatal-warnings)

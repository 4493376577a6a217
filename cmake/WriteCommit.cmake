# cmake -DSOURCE=... -DGIT=... -DOUTPUT=... -P WriteCommit.cmake: writes the commit of the checkout SOURCE as a header, which
# is touched where it changes only; "unknown" without git or outside of a checkout.
set(commit unknown)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse --show-prefix
                  RESULT_VARIABLE failed OUTPUT_VARIABLE below OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT failed AND below STREQUAL "")  # else a folder of someone else's checkout
    execute_process(COMMAND ${GIT} --no-optional-locks -C ${SOURCE} describe --always --dirty --abbrev=12
                    OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(described)
      set(commit ${described})
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#pragma once\n#define VAE_COMMIT \"${commit}\"\n")

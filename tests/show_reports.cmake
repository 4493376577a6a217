# cmake -DFOLDER=... -P show_reports.cmake: prints all reports of tests.
file(GLOB reports ${FOLDER}/*.txt)
if(reports)
  execute_process(COMMAND ${CMAKE_COMMAND} -E cat ${reports})
endif()

# cmake -DFOLDER=... -P show_reports.cmake: prints all reports of a run of tests and removes them.
file(GLOB reports ${FOLDER}/*.txt)
if(reports)
  execute_process(COMMAND ${CMAKE_COMMAND} -E cat ${reports})
endif()
file(REMOVE_RECURSE ${FOLDER})

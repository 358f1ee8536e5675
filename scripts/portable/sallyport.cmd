@echo off
rem Starts Sallyport from the folder this file lies in, with the Node beside it, from any working directory. NODE_OPTIONS and
rem NODE_PATH are the caller's own programs' matter: they reach what "run" starts, not this Node.
setlocal EnableExtensions EnableDelayedExpansion
set "SALLYPORT_CALLER_NODE_OPTIONS=!NODE_OPTIONS!"
set "SALLYPORT_CALLER_NODE_PATH=!NODE_PATH!"
set "NODE_OPTIONS="
set "NODE_PATH="
rem A "!" in an argument or in the path is one.
setlocal DisableDelayedExpansion
"%~dp0runtime\node.exe" "%~dp0app\dist\cli\main.js" %*
exit /b %ERRORLEVEL%

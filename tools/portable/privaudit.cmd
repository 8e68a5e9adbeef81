@echo off
rem Starts privaudit from this folder, with the Python in it: nothing is installed, unpacked or fetched.
rem Without arguments it opens the menu; "privaudit.cmd audit -o report.html" is "privaudit audit ...".
setlocal DisableDelayedExpansion
set "python=%~dp0files\python\python.exe"

rem Code page 936 is that of Chinese Windows; the Chinese sentences below are encoded in it, and read in no other.
set "language=en"
for /f "tokens=2 delims=:" %%p in ('chcp') do if "%%p"==" 936" set "language=zh"

rem Explorer shows a zip like a folder, and unpacks only the file that is clicked.
if not exist "%python%" goto unpack_%language%
"%python%" -c "" 2>nul || goto blocked_%language%

"%python%" -m privaudit %*
set "code=%errorlevel%"
rem If a double click opened this window, keep it open until its text has been read.
if "%~1"=="" pause
exit /b %code%

:unpack_en
@unpack.en@
goto leave
:unpack_zh
@unpack.zh@
goto leave
:blocked_en
@blocked.en@
goto leave
:blocked_zh
@blocked.zh@
:leave
pause
exit /b 4

@echo off
rem Starts privaudit from this folder, without anything else installed. The first start unpacks it; later ones are offline.
rem Without arguments it opens the menu; "privaudit.cmd audit -o report.html" is "privaudit audit ...".
setlocal DisableDelayedExpansion
set "files=%~dp0files"

rem Code page 936 is that of Chinese Windows; the Chinese sentences are encoded in it.
set "words=%files%\words\en"
for /f "tokens=2 delims=:" %%p in ('chcp') do if "%%p"==" 936" set "words=%files%\words\zh"

rem Explorer shows a zip like a folder, and unpacks only the file that is clicked.
if not exist "%files%\uv.exe" (
  echo Unpack the whole zip first, then start privaudit.cmd in the unpacked folder.
  pause
  exit /b 4
)

rem Ignore the settings that this computer has for uv.
for /f "delims==" %%v in ('set UV_ 2^>nul') do if /i not "%%v"=="UV_PYTHON_INSTALL_MIRROR" set "%%v="
set "UV_NO_CONFIG=1"
set "UV_NO_CACHE=1"
set "UV_LINK_MODE=copy"
set "UV_PYTHON_INSTALL_DIR=%files%\python"
set "UV_PYTHON_INSTALL_BIN=0"
set "UV_PYTHON_INSTALL_REGISTRY=0"
set "UV_VENV_CLEAR=1"

if exist "%files%\ready\unpacked" "%files%\ready\Scripts\python.exe" -c "" 2>nul && goto start

type "%words%\first.txt"
"%files%\uv.exe" --version >nul 2>nul || goto place
type nul >"%files%\writable" 2>nul || goto place
del "%files%\writable"
call :unpack --no-python-downloads --python ">=3.11,<3.15" && goto start
type "%words%\fetch.txt"
call :unpack --managed-python --python 3.13 && goto start
type "%words%\failed.txt"
pause
exit /b 4

:place
type "%words%\place.txt"
pause
exit /b 4

:start
"%files%\ready\Scripts\python.exe" -m privaudit %*
set "code=%errorlevel%"
rem If a double click opened this window, keep it open until its text has been read.
if "%~1"=="" pause
exit /b %code%

rem unpack OPTION...: create the environment, with a Python that uv finds or downloads by OPTION, and install privaudit.
:unpack
if exist "%files%\ready\unpacked" del "%files%\ready\unpacked"
"%files%\uv.exe" venv --quiet %* "%files%\ready" || exit /b 1
"%files%\uv.exe" pip install --quiet --offline --no-index --find-links "%files%\wheels" --python "%files%\ready\Scripts\python.exe" privaudit || exit /b 1
type nul >"%files%\ready\unpacked"
exit /b 0

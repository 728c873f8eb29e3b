<#
.SYNOPSIS
Looks at what of shmcv only Windows itself can show, and prints a table: docs/windows.md, "What Wine cannot show".

.DESCRIPTION
For Windows PowerShell 5.1 and later, 64 bits. It needs no right. What takes one is skipped, and says so. It writes into a new
folder of TEMP, which it removes, and makes segments whose names begin with "shmcv-check".

.EXAMPLE
powershell -ExecutionPolicy Bypass -File shmcv-check.ps1 -Library C:\shmcv\bin\libshmcv.dll -Image C:\shmcv\photograph.jpg
#>
param(
    [Parameter(Mandatory = $true)] [string] $Library, # The path of libshmcv.dll.
    [string] $Image = '',                             # testdata/photograph.jpg of the repository, for number 2.
    [switch] $Headless,                               # Opens no window.
    [switch] $Service,                                # Runs number 13, as a task of the system; takes an elevated PowerShell.
    [string] $Child = '',                             # The script calls itself so.
    [string] $Result = ''
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$Library = (Resolve-Path -LiteralPath $Library).ProviderPath

Add-Type -TypeDefinition @'
using System;
using System.Runtime.InteropServices;
using System.Text;

public static class Check
{
    const string Dll = "libshmcv.dll";

    [DllImport("kernel32", CharSet = CharSet.Unicode, SetLastError = true)] public static extern IntPtr LoadLibraryW(string path);
    [DllImport("kernel32", CharSet = CharSet.Unicode, SetLastError = true)] public static extern bool CreateDirectoryW(string path, IntPtr security);
    [DllImport("user32", CharSet = CharSet.Unicode)] public static extern IntPtr FindWindowW(string type, string title);
    [DllImport("user32")] public static extern IntPtr GetWindow(IntPtr window, uint which);
    [DllImport("user32")] public static extern bool GetClientRect(IntPtr window, int[] area);
    [DllImport("user32")] public static extern IntPtr GetWindowDpiAwarenessContext(IntPtr window);
    [DllImport("user32")] public static extern int GetAwarenessFromDpiAwarenessContext(IntPtr context);
    [DllImport("user32")] public static extern uint GetDpiForWindow(IntPtr window);

    [DllImport(Dll)] static extern IntPtr shmcv_version();
    [DllImport(Dll)] static extern int shmcv_last_error(byte[] text, ulong capacity);
    [DllImport(Dll)] static extern int shmcv_create(byte[] name, ulong size, out ulong segment);
    [DllImport(Dll)] static extern int shmcv_open(byte[] name, out ulong segment);
    [DllImport(Dll)] static extern int shmcv_load(ulong segment, byte[] path, int flags, IntPtr info);
    [DllImport(Dll)] static extern int shmcv_save(ulong segment, byte[] path, int quality);
    [DllImport(Dll)] static extern int shmcv_show(byte[] title, ulong segment);
    [DllImport(Dll)] static extern int shmcv_clear(byte[] name);
    [DllImport(Dll, EntryPoint = "shmcv_close")] public static extern int Close(ulong segment);
    [DllImport(Dll, EntryPoint = "shmcv_data")] public static extern int Data(ulong segment, out IntPtr start, out ulong size);
    [DllImport(Dll, EntryPoint = "shmcv_delay")] public static extern int Delay(int milliseconds, out int key);
    [DllImport(Dll, EntryPoint = "shmcv_close_windows")] public static extern int CloseWindows();
    [DllImport(Dll, EntryPoint = "shmcv_image_set")] public static extern int SetImage(ulong segment, byte[] image);
    [DllImport(Dll, EntryPoint = "shmcv_sequence")] public static extern int Sequence(ulong segment, out ulong number);

    static byte[] Utf8(string text) { return Encoding.UTF8.GetBytes(text + "\0"); }
    public static string Version() { return Marshal.PtrToStringAnsi(shmcv_version()); }
    public static int Create(string name, ulong size, out ulong segment) { return shmcv_create(Utf8(name), size, out segment); }
    public static int Open(string name, out ulong segment) { return shmcv_open(Utf8(name), out segment); }
    public static int Load(ulong segment, string path) { return shmcv_load(segment, Utf8(path), 1, IntPtr.Zero); }
    public static int Save(ulong segment, string path) { return shmcv_save(segment, Utf8(path), -1); }
    public static int Show(string title, ulong segment) { return shmcv_show(Utf8(title), segment); }
    public static int Clear(string name) { return shmcv_clear(Utf8(name)); }

    public static string LastError()
    {
        byte[] text = new byte[1024];
        shmcv_last_error(text, (ulong)text.Length);
        return Encoding.UTF8.GetString(text).TrimEnd('\0');
    }

    // A segment with an image of 8-bit BGR, of one colour. The numbers are places in shmcv_image_info.
    public static ulong Picture(string name, int width, int height, byte value)
    {
        ulong segment, size;
        IntPtr start;
        if (Create(name, (ulong)(3 * width * height), out segment) != 0) throw new Exception(LastError());
        Data(segment, out start, out size);
        byte[] pixels = new byte[3 * width * height];
        for (int i = 0; i < pixels.Length; i++) pixels[i] = value;
        Marshal.Copy(pixels, 0, start, pixels.Length);
        byte[] image = new byte[64];
        BitConverter.GetBytes((uint)width).CopyTo(image, 0);
        BitConverter.GetBytes((uint)height).CopyTo(image, 4);
        BitConverter.GetBytes((uint)3).CopyTo(image, 8);
        BitConverter.GetBytes((uint)1).CopyTo(image, 12);
        BitConverter.GetBytes((uint)2).CopyTo(image, 16);
        if (SetImage(segment, image) != 0) throw new Exception(LastError());
        return segment;
    }

    public static double MicrosecondsACall(ulong segment, int calls)
    {
        ulong number;
        System.Diagnostics.Stopwatch watch = System.Diagnostics.Stopwatch.StartNew();
        for (int i = 0; i < calls; i++) Sequence(segment, out number);
        return watch.Elapsed.TotalMilliseconds * 1000 / calls;
    }
}
'@

if ([Check]::LoadLibraryW($Library) -eq [IntPtr]::Zero) {
    throw "$Library cannot be loaded: Windows' error $([Runtime.InteropServices.Marshal]::GetLastWin32Error()). Is PowerShell one of 64 bits?"
}

# The script as its own child: it makes a segment and waits to be killed, or tries to show a window.
$ignored = [uint64] 0
if ($Child -eq 'hold') {
    $held = [Check]::Picture('shmcv-check-killed', 4, 4, 7)
    Set-Content -LiteralPath $Result -Value 'ready'
    Start-Sleep -Seconds 600
    exit
}
if ($Child -eq 'service') {
    $shown = [Check]::Picture('shmcv-check-service', 64, 64, 7)
    Set-Content -LiteralPath $Result -Value ('{0} {1}' -f [Check]::Show('service', $shown), [Check]::LastError())
    exit
}

$rows = New-Object System.Collections.ArrayList
$folder = Join-Path ([IO.Path]::GetTempPath()) ('shmcv-check-' + [Guid]::NewGuid().ToString('N'))
[void] (New-Item -ItemType Directory -Path $folder)
$principal = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
$elevated = $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)

# Runs a look at something. Its result is a text; it throws to say that the look failed, or 'SKIP: why'.
function Look([int] $number, [string] $what, [scriptblock] $body) {
    $result = 'ok'
    try { $detail = [string] (& $body) }
    catch {
        $detail = $_.Exception.Message
        $result = 'FAILED'
        if ($detail.StartsWith('SKIP: ')) {
            $result = 'skipped'
            $detail = $detail.Substring(6)
        }
    }
    [void] $rows.Add((New-Object PSObject -Property @{ Number = $number; What = $what; Result = $result; Detail = $detail }))
    Write-Host ('{0,2}  {1,-8} {2}: {3}' -f $number, $result, $what, $detail)
}
function Expect($got, $wanted, [string] $what) {
    if ("$got" -ne "$wanted") { throw "${what}: $got, and not $wanted. The library says: $([Check]::LastError())" }
}

Look 1 'the library loads' { [Check]::Version() }

Look 2 'a saved PNG is that of Linux' {
    if ($Image -eq '') { throw 'SKIP: -Image names no photograph.jpg' }
    $segment = [uint64] 0
    Expect ([Check]::Create('shmcv-check-photo', 3840 * 2160 * 3, [ref] $segment)) 0 'create'
    Expect ([Check]::Load($segment, (Resolve-Path -LiteralPath $Image).ProviderPath)) 0 'load'
    $path = Join-Path $folder 'photo.png'
    Expect ([Check]::Save($segment, $path)) 0 'save'
    [void] [Check]::Clear('shmcv-check-photo')
    [void] [Check]::Close($segment)
    Expect (Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash 'B5AE2B02F609741B5111626AF3CD24120B5CC647EB30E6F34C1734BB17E54458' 'the SHA-256'
    'the same bytes'
}

$picture = [Check]::Picture('shmcv-check-picture', 40, 30, 200)

Look 3 'MemoryMappedFile.OpenExisting sees the pixels' {
    $memory = [IO.MemoryMappedFiles.MemoryMappedFile]::OpenExisting('shmcv-check-picture')
    $view = $memory.CreateViewAccessor()
    Expect ($view.ReadByte(0)) 200 'the first byte'
    Expect ($view.Capacity % 4096) 0 'the rest of whole pages'
    "$($view.Capacity) bytes"
    $view.Dispose()
    $memory.Dispose()
}

Look 4 'names of every kind' {
    $names = 'shmcv-check-Photo', 'shmcv-check-photo', 'shmcv-check-dot.', 'CON', 'nul', 'COM1', ('shmcv-check-' + 'x' * 188)
    $handles = @()
    $value = 1
    foreach ($name in $names) { $handles += [Check]::Picture($name, 4, 4, $value); $value++ }
    $value = 1
    foreach ($name in $names) {
        $other = [uint64] 0
        $start = [IntPtr]::Zero
        $size = [uint64] 0
        Expect ([Check]::Open($name, [ref] $other)) 0 "open $name"
        [void] [Check]::Data($other, [ref] $start, [ref] $size)
        Expect ([Runtime.InteropServices.Marshal]::ReadByte($start)) $value "the pixels of $name"
        [void] [Check]::Close($other)
        $value++
    }
    foreach ($name in $names) { Expect ([Check]::Clear($name)) 0 "clear $name" }
    foreach ($handle in $handles) { [void] [Check]::Close($handle) }
    "$($names.Count) names"
}

$powershell = (Get-Process -Id $PID).Path

Look 5 'a killed process takes its segment with it' {
    $ready = Join-Path $folder 'ready'
    $arguments = '-NoProfile -ExecutionPolicy Bypass -File "{0}" -Library "{1}" -Child hold -Result "{2}"' -f $PSCommandPath, $Library, $ready
    $process = Start-Process -FilePath $powershell -ArgumentList $arguments -PassThru -WindowStyle Hidden
    $tries = 0
    while (-not (Test-Path -LiteralPath $ready) -and -not $process.HasExited -and $tries -lt 600) { Start-Sleep -Milliseconds 100; $tries++ }
    $segment = [uint64] 0
    $opened = [Check]::Open('shmcv-check-killed', [ref] $segment)
    if ($opened -eq 0) { [void] [Check]::Close($segment) }
    if (-not $process.HasExited) { $process.Kill() }
    $process.WaitForExit()
    Expect $opened 0 'open while it lives'
    Expect ([Check]::Open('shmcv-check-killed', [ref] $segment)) -2 'open afterwards'
    Expect ([Check]::Create('shmcv-check-killed', 100, [ref] $segment)) 0 'create afterwards'
    [void] [Check]::Clear('shmcv-check-killed')
    [void] [Check]::Close($segment)
    'gone, and the name is free'
}

Look 6 'names are this user''s only' {
    $own = [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    $names = Join-Path $env:LOCALAPPDATA 'shmcv'
    $count = 0
    foreach ($file in @(Get-Item -LiteralPath $names -Force) + @(Get-ChildItem -LiteralPath $names -Force)) {
        foreach ($rule in (Get-Acl -LiteralPath $file.FullName).GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])) {
            $who = $rule.IdentityReference.Value
            if ($who -notin $own, 'S-1-5-18', 'S-1-5-32-544', 'S-1-3-4') { throw "$($file.FullName) is open to $who" }
        }
        $count++
    }
    "$count files"
}

Look 7 'Global\ takes the right to make it' {
    $segment = [uint64] 0
    $status = [Check]::Create('Global\shmcv-check-global', 100, [ref] $segment)
    if ($status -eq 0) { [void] [Check]::Clear('Global\shmcv-check-global'); [void] [Check]::Close($segment) }
    $wanted = -9
    if ($elevated) { $wanted = 0 }
    Expect $status $wanted 'create'
    if ($elevated) { 'made, elevated' } else { 'refused; run it elevated too' }
}

Look 8 'files that another program has open' {
    $path = Join-Path $folder 'open.png'
    foreach ($row in @(@('None', -9, -9), @('Read', 0, -9), @('ReadWrite', 0, -9), @('ReadWrite, Delete', 0, 0))) {
        Expect ([Check]::Save($picture, $path)) 0 'save'
        $other = [IO.File]::Open($path, 'Open', 'Read', [IO.FileShare] $row[0])
        $loaded = [Check]::Load($picture, $path)
        $saved = [Check]::Save($picture, $path)
        $why = [Check]::LastError()
        $other.Dispose()
        Expect $loaded $row[1] "load beside a program that shares $($row[0])"
        Expect $saved $row[2] "save beside a program that shares $($row[0])"
        if ($saved -ne 0 -and $why -notmatch 'another program') { throw $why }
    }
    if (@(Get-ChildItem -LiteralPath $folder -Force -Filter '.shmcv-*').Count -ne 0) { throw 'a temporary file is left' }
    'as each of them lets it'
}

Look 9 'access, attributes and time of creation stay' {
    $path = Join-Path $folder 'access.png'
    Set-Content -LiteralPath $path -Value 'old'
    $list = New-Object Security.AccessControl.FileSecurity
    $list.SetSecurityDescriptorSddlForm('D:P(A;;FA;;;{0})(A;;FR;;;WD)' -f [Security.Principal.WindowsIdentity]::GetCurrent().User.Value)
    [IO.File]::SetAccessControl($path, $list)
    [IO.File]::SetCreationTimeUtc($path, [DateTime]::new(2001, 2, 3, 4, 5, 6, 'Utc'))
    [IO.File]::SetAttributes($path, 'Hidden')
    $before = (Get-Acl -LiteralPath $path).Sddl
    Expect ([Check]::Save($picture, $path)) 0 'save'
    Expect (Get-Acl -LiteralPath $path).Sddl $before 'the access list'
    Expect ([IO.File]::GetCreationTimeUtc($path).Year) 2001 'the year of creation'
    if (-not ([IO.File]::GetAttributes($path) -band [IO.FileAttributes]::Hidden)) { throw 'the file is hidden no more' }
    [IO.File]::SetAttributes($path, 'ReadOnly')
    Expect ([Check]::Save($picture, $path)) -9 'save over a read-only file'
    [IO.File]::SetAttributes($path, 'Normal')
    'kept'
}

Look 10 'links are followed' {
    $link = Join-Path $folder 'link.png'
    try { [void] (New-Item -ItemType SymbolicLink -Path $link -Value (Join-Path $folder 'target.png')) }
    catch { throw "SKIP: this user may make no links ($($_.Exception.Message))" }
    Expect ([Check]::Save($picture, $link)) 0 'save'
    if (-not ([IO.File]::GetAttributes($link) -band [IO.FileAttributes]::ReparsePoint)) { throw 'the link is one no more' }
    Expect (Test-Path -LiteralPath (Join-Path $folder 'target.png')) 'True' 'the file behind the link'
    'followed'
}

Look 11 'paths of more than 260 characters' {
    $long = $folder
    foreach ($i in 1..3) {
        $long = Join-Path $long ("$i" * 120)
        [void] [Check]::CreateDirectoryW('\\?\' + $long, [IntPtr]::Zero)
    }
    $path = "$long\photo.png"
    Expect ([Check]::Save($picture, $path)) 0 'save'
    Expect ([Check]::Save($picture, $path)) 0 'save again'
    Expect ([Check]::Load($picture, $path)) 0 'load'
    "$($path.Length) characters"
}

Look 12 'a window has the pixels of the screen' {
    if ($Headless) { throw 'SKIP: -Headless' }
    $shown = [Check]::Picture('shmcv-check-window', 400, 300, 120)
    $title = 'shmcv ' + [char] 0x00e4 + [char] 0x6728
    $key = 0
    Expect ([Check]::Show($title, $shown)) 0 'show'
    [void] [Check]::Delay(500, [ref] $key)
    $window = [Check]::FindWindowW([NullString]::Value, $title)
    if ($window -eq [IntPtr]::Zero) { throw 'no window has the title' }
    $area = New-Object 'int[]' 4
    [void] [Check]::GetClientRect([Check]::GetWindow($window, 5), $area)
    $awareness = [Check]::GetAwarenessFromDpiAwarenessContext([Check]::GetWindowDpiAwarenessContext($window))
    $dpi = [Check]::GetDpiForWindow($window)
    [void] [Check]::CloseWindows()
    [void] [Check]::Clear('shmcv-check-window')
    [void] [Check]::Close($shown)
    Expect $awareness 2 'the awareness'
    "$dpi dots an inch; an image of 400 x 300 has $($area[2]) x $($area[3])" # Of a PowerShell that is unaware, in its own units.
}

Look 13 'a service has no display' {
    if (-not $Service) { throw 'SKIP: -Service was not given' }
    if (-not $elevated) { throw 'SKIP: it takes an elevated PowerShell' }
    $answer = Join-Path $folder 'service'
    $arguments = '-NoProfile -ExecutionPolicy Bypass -File "{0}" -Library "{1}" -Child service -Result "{2}"' -f $PSCommandPath, $Library, $answer
    $action = New-ScheduledTaskAction -Execute $powershell -Argument $arguments
    $system = New-ScheduledTaskPrincipal -UserId 'S-1-5-18'
    [void] (Register-ScheduledTask -TaskName 'shmcv-check' -Action $action -Principal $system)
    try {
        Start-ScheduledTask -TaskName 'shmcv-check'
        $tries = 0
        while (-not (Test-Path -LiteralPath $answer) -and $tries -lt 300) { Start-Sleep -Milliseconds 100; $tries++ }
        Start-Sleep -Milliseconds 500
        $text = [string] (Get-Content -LiteralPath $answer)
    }
    finally { Unregister-ScheduledTask -TaskName 'shmcv-check' -Confirm:$false }
    if (-not $text.StartsWith('-14 ')) { throw $text }
    $text
}

Look 14 'a call takes' { '{0:f2} microseconds' -f [Check]::MicrosecondsACall($picture, 100000) }

[void] [Check]::Clear('shmcv-check-picture')
[void] [Check]::Close($picture)
cmd.exe /c rmdir /s /q "\\?\$folder"

$rows | Sort-Object Number | Format-Table -Property @('Number', 'Result', 'What', 'Detail') -AutoSize -Wrap
$failed = @($rows | Where-Object { $_.Result -eq 'FAILED' }).Count
$skipped = @($rows | Where-Object { $_.Result -eq 'skipped' }).Count
'{0} ok, {1} failed, {2} skipped, on {3}' -f ($rows.Count - $failed - $skipped), $failed, $skipped, [Environment]::OSVersion.VersionString
exit [int] ($failed -ne 0)

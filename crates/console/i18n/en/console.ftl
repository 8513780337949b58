### Every text of the console in English. Vietnamese is the source: same keys as `vi/console.ftl`.

app-name = Minh Bạch
key-space = Space
key-none = not set

## Pages

page-live = Live
page-playback = Playback
page-incidents = Incidents
page-cameras = Cameras

## Buttons

action-save = Save
action-cancel = Cancel
action-close = Close
action-copy = Copy
technical-detail = Technical detail
action-discard = Discard changes
action-undo-left = Undo ({ $seconds } s left)

## Commands

cmd-flag = Flag an incident on the visible tiles
cmd-undo-flag = Undo the last flag
cmd-listen = Listen to the selected tile
cmd-promote = Enlarge/shrink the selected tile
cmd-select-next = Select the next tile
cmd-select-previous = Select the previous tile
cmd-clear-tile = Remove the camera from the tile
cmd-rewind = Watch the last 15 seconds again
cmd-toggle = Play/pause
cmd-slower = Play slower
cmd-faster = Play faster
cmd-step-back = One frame back
cmd-step-forward = One frame on
cmd-skip-back = 10 seconds back
cmd-skip-forward = 10 seconds on
cmd-first = To the start of the recording
cmd-live-edge = To the present
cmd-jump-gap = Skip the gap
cmd-mark-in = Mark the start
cmd-mark-out = Mark the end
cmd-clear-marks = Clear both marks
cmd-go-to = Go to a time…
cmd-export = Export…
cmd-hold = Hold…
cmd-holds = List of holds
cmd-layout-1 = Layout of 1 tile
cmd-layout-4 = Layout of 4 tiles
cmd-layout-8 = Layout of 1 large + 7 small tiles
cmd-layout-9 = Layout of 9 tiles
cmd-layout-16 = Layout of 16 tiles
cmd-add-camera = Add a camera
cmd-page-live = Open the Live page
cmd-page-playback = Open the Playback page
cmd-page-incidents = Open the Incidents page
cmd-page-cameras = Open the Cameras page
cmd-incident-next = Select the next incident
cmd-incident-previous = Select the previous incident
cmd-palette = Find cameras, pages and commands
cmd-tree = Hide/show the list of cameras
cmd-fullscreen = Full screen
cmd-mute = Sound off/on
cmd-language = Switch to Vietnamese (Tiếng Việt)
cmd-settings = Settings of this workstation
cmd-typing = Compose Vietnamese, or not
cmd-help = Keys of this page
cmd-escape = Back

## Header

header-volume = Volume
header-mute = Mute
header-unmute = Unmute

## List of cameras

tree-search = Find cameras and places
tree-empty = There is no camera yet.
tree-nothing-found = No camera found.
tree-unplaced = Without a place
tree-troubled = { $troubled }/{ $cameras } in trouble
tree-removed = Removed cameras
tree-removed-on = Removed on { $day }
tree-removed-unknown = The day of removal is not known
tree-removed-id = Camera id: { $id }

## Wall

wall-no-cameras = There is no camera yet
wall-no-cameras-advice = Add the first camera to watch and record.
tile-vacant = Drag a camera here
tile-connecting = Connecting…
tile-live = Live
tile-live-recording = Live · Recording
tile-live-not-recording = Live · NOT RECORDED
tile-catching-up = The picture is late
tile-loading = Loading…
tile-frozen = Frozen since { $time }
tile-no-picture = No picture yet ({ $length })
tile-lost = Signal lost { $length }
tile-still = Last picture at { $time }
tile-still-seconds = Last picture at { $time }, { $count } s ago
tile-still-minutes = Last picture at { $time }, { $count } min ago
tile-still-hours = Last picture at { $time }, { $count } h ago
tile-still-days = { $count ->
        [one] Last picture at { $time }, { $count } day ago
       *[other] Last picture at { $time }, { $count } days ago
    }
tile-paused = Recording paused
tile-gap = Nothing recorded
tile-replay = Playback
tile-end = End of the recording
tile-failed = Cannot be shown
tile-instead-main = The sub stream fails, this is the main stream
tile-instead-sub = The main stream fails, this is the sub stream
meter-none = No sound
meter-on = This tile is heard
meter-off = Listen to this tile
stream-main = Main stream
stream-sub = Sub stream
menu-show = Show on the wall
menu-promote = Enlarge/shrink this tile
menu-play-back = Play back from a minute ago
menu-camera-settings = About this camera
menu-zoom-reset = Picture at its own size
menu-copy-technical = Copy the technical detail

## Playback

playback-live-edge = To the present
playback-speed = Speed
playback-mark-hint = Press { $mark_in } and { $mark_out } to mark a range
playback-mark-end = Press { $mark_out } to mark the end
timeline-name = Timeline, now at { $time }
timeline-gap = Nothing recorded: { $cause }
    { $from } – { $to } ({ $length })
timeline-gap-open = Nothing recorded: { $cause }
    Since { $from }
timeline-damaged = Damaged
timeline-damage = Damaged recording: { $kind }
    { $from } – { $to }, found at { $found }
    This part is neither played nor exported.
goto-title = Go to a time
goto-hint = For example: 1405, 14:05:09 or 24/11 14:05
goto-unknown = This is not a time yet. For example: 1405, 14:05:09 or 24/11 14:05
goto-future = This time has not come yet.

## Why nothing was recorded

gap-camera-unreachable = The camera cannot be reached
gap-auth-refused = The camera refused the password
gap-stalled = The camera is connected and sends no picture
gap-disconnected = The camera closed the connection
gap-packet-loss = Packets were lost on the way
gap-unsupported = The camera sends nothing that can be recorded
gap-recorder-down = The server was not running
gap-recorder-behind = The server could not keep up
gap-disk-full = The disk was full
gap-disk-error = The disk failed
gap-paused-by-operator = An operator paused the recording
gap-camera-clock = The camera's clock jumped
gap-starting = The stream was starting
gap-rebuilt = Cause not known: the index was rebuilt from the footage

## Damaged recordings

damage-altered = It is not what was recorded
damage-truncated = The file ends too early
damage-missing = The file is gone or cannot be read

## State of a camera

camera-recording = Recording
camera-partly = Recording, sub stream fails
camera-connecting = Connecting
camera-paused = Recording paused
camera-removed = { $camera } (removed)

sound-unknown = Not known whether there is sound
sound-flows = With sound
sound-not-offered = Recording the picture; the camera sends no sound
sound-unsupported = Recording the picture; the format of the sound is not supported
sound-refused = Recording the picture; the camera refuses to send sound
sound-missing = Recording the picture; the sound is gone

advice-sound-none = Nothing needs to be done.
advice-sound-not-offered = Switch on the microphone (audio) of the main stream in the camera’s settings.
advice-sound-unsupported = Set the camera’s audio to AAC or G.711.
advice-sound-refused = Check that the account may hear sound on the camera; restart the camera if it still refuses.
advice-sound-missing = Check the microphone and its cable. Restart the camera if the microphone is built in.

failure-unknown-host = Host name not found
failure-connection-refused = The port is closed
failure-unreachable = Cannot be reached
failure-timed-out = The camera did not answer in time
failure-auth-refused = Wrong user name or password
failure-not-found = Wrong stream path
failure-no-video = The camera offers no video
failure-unsupported-codec = Video format not supported
failure-access-unit-too-large = A picture is too large
failure-stalled = No new picture
failure-closed = The camera closed the connection
failure-clock-jump = A clock jumped
failure-protocol = The camera broke the protocol
failure-no-key-picture = The camera's pictures cannot be decoded
failure-disk-full = Not recorded: the disk is full
failure-disk-error = Not recorded: the disk fails
failure-recorder-behind = Not recorded: the server cannot keep up

advice-unknown-host = Check the host name in the address, or use the camera's IP address.
advice-connection-refused = Check the port (usually 554) and that the camera's RTSP service is on.
advice-unreachable = Check the camera's power, network cable and IP address.
advice-timed-out = Check the network to the camera. An overloaded camera can be slow as well.
advice-auth-refused = Enter user name and password again. After several failures the camera may lock the account for minutes.
advice-not-found = Look up the path after the host in the camera's manual.
advice-no-video = Turn the video stream on in the camera's settings.
advice-unsupported-codec = Set the camera to H.264 or H.265.
advice-access-unit-too-large = Lower the resolution or bit rate of this stream on the camera.
advice-stalled = The camera may hang. If it does not recover by itself, restart it.
advice-closed = The server connects again by itself. If it happens often, check the network and the camera's limit of streams.
advice-clock-jump = Let server and camera set their clocks by NTP.
advice-protocol = Update the camera's firmware. The technical detail says what the camera answered.
advice-no-key-picture = Set the camera's key frame interval (I-frame) to 1 to 4 seconds. If that does not help, update its firmware.
advice-disk-full = Free room on the server's recording disk, or add a disk. The server goes on recording by itself.
advice-disk-error = Let a technician check the disk and who may write to the recording folder. The server goes on by itself.
advice-recorder-behind = The server's disk is too slow or overloaded. Let a technician look at it; the server goes on by itself.

exact-unknown-host = The name “{ $host }” leads to no address.
exact-timed-out = The camera did not answer within { $seconds } s.
exact-unsupported-codec = The camera sends its video as { $offered }.
exact-access-unit-too-large = A picture has { $megabytes } MB; the server accepts { $max } MB at most.
exact-stalled = The camera is connected and sent no picture for { $seconds } s.
exact-clock-jump = The server's clock was set by { $milliseconds } ms; the recording begins anew with the new time.

## Incidents

incident-new = New
incident-in-progress = In progress
incident-shelved = Shelved
incident-closed = Closed
category-unsorted = Not sorted yet
category-conduct = Disrespectful conduct
category-payment = Suspected money or gift
category-obstruction = Obstruction or delay
category-absence = Post left unattended
category-tampering = Equipment tampered with
category-safety = Safety and order
category-other = Other
incident-created = Flagged at
incident-range = Time
incident-state = State
incident-category = Category
incident-cameras = Cameras
incident-note = Note
incident-author = Flagged at station
incident-title = Incident at { $time }
incident-play = Open on the Playback page
incidents-search = Search incidents
incidents-all = All
incidents-csv = Export the list (CSV)
incidents-loading = Loading the list…
incidents-loading-advice = The list appears when the server answers.
incidents-empty = There is no incident yet
incidents-empty-advice = While watching, press { $flag } to flag an incident; the video goes on.
incidents-nothing-found = No incident matches
incidents-nothing-found-advice = Search for less, or choose “All”.
incidents-row-hint = Click to play it here; double-click to open it on the Playback page

## Cameras

cameras-search = Find cameras
cameras-name = Name
cameras-place = Place
cameras-state = State
cameras-since = Since
cameras-video = Video
cameras-audio = Sound
cameras-bit-rate = Bit rate
cameras-frame-rate = Frames/s
cameras-retry = Next attempt at
cameras-lost = Packets lost
cameras-runs = Connections made
cameras-edit = Edit
cameras-pause = Pause recording
cameras-resume = Resume recording
cameras-remove = Remove
cameras-empty = There is no camera yet
cameras-empty-advice = Choose “Add a camera”, enter its address, and “Test” to see a picture before saving.
cameras-nothing-found = No camera found
cameras-nothing-found-advice = Try another name; diacritics are not needed.

form-title-add = Add a camera
form-title-edit = Edit camera
form-name = Name
form-main = Main stream
form-sub = Sub stream
form-username = User name
form-password = Password
form-password-kept = Leave empty to keep it
form-place = Place
form-place-new = New place…
form-agency = Agency
form-site = Site
form-contact-point = Contact point
form-hint = The sub stream has a low resolution, for small tiles; it may be left empty.
form-problem-name = The name must have 1 to 200 characters.
form-problem-main = The main stream must look like rtsp://host/path.
form-problem-sub = The sub stream must look like rtsp://host/path.
form-problem-credentials = Put user name and password into their own fields, not into the address.
form-problem-place = Name agency, site and contact point of the new place.
form-saving = Saving…
form-test = Test
form-test-hint = “Test” takes one still. The settings of the camera are not changed.
form-testing = Testing… { $seconds } s
form-still = A still from the camera
form-no-sound = no sound
form-figures = { $bitrate } · { $fps } frames/s · picture after { $first } ms
remove-title = Remove “{ $camera }”?
remove-text = This camera will no longer be recorded or listed. What was recorded is kept.
pause-title = Pause the recording of “{ $camera }”?
pause-text = While it is paused, neither picture nor sound of this camera is recorded.

## Export

export-title = Export
export-range = Range
export-use-marks = Use the marks as they are now
export-without-audio = Leave the sound out
export-folder = Folder on this workstation
export-size = { $size } in total
export-measuring = Measuring…
export-gaps = { $count ->
        [one] { $count } gap
       *[other] { $count } gaps
    }
export-no-sound = no sound
export-start = Export
export-running = { $files } files · { $speed }/s · { $left } left
export-waiting = { $files } files · preparing
export-ended = { $files } files · ended
export-forget = Clear what has ended

## Holds

hold-title = Hold this footage
hold-text = Footage under a hold is not deleted, even when the disk is full, until the hold ends or somebody releases it.
hold-reason = Reason
hold-case = Case code
hold-case-hint = No person's name
hold-until = Ends
hold-until-never = Leave it empty for a hold without an end
hold-until-at = Ends by itself at { $time }
hold-until-past = { $time } is over already
hold-until-unknown = This is not a day yet
hold-owner = Held at station
hold-place = Hold
hold-sending = Sending…
hold-standing = On hold
hold-released = Released
hold-expired = Ended
hold-never = Without an end
hold-play = Play back
hold-release = Release…
hold-release-title = Release the hold
hold-release-text = After that this footage may be deleted when its time is over or the disk is full. The release and its reason are kept.
hold-release-reason = Why it is released
hold-release-confirm = Release
hold-ended = Released at { $time }, at { $by }: { $reason }
holds-title = List of holds
holds-empty = No footage is on hold yet
holds-empty-advice = Mark a range on the Playback page and press { $hold }; or open an incident and choose “Hold…”.

## Palette, help, settings

palette-hint = Type a camera, page or command; no diacritics needed
palette-nothing = Nothing found.
help-title = Keys – { $page }
help-rebind = Click the key of a command to give it another one.
help-listening = Press the new key, Esc to keep the old one
help-key-taken = { $keys } is the key of “{ $command }”.
help-key-reserved = { $keys } is reserved and cannot be the key of a command.
help-change = { $command }: { $keys }. Click to change the key
help-reset = Reset
help-reset-all = Reset all
help-tree = List: double-click shows a camera in the next free tile; drag it onto a tile.
help-wall = Tiles: double-click enlarges; drag onto another tile to swap; the wheel zooms the picture.
help-timeline = Timeline: the wheel zooms; drag moves; click goes to that time.
help-typing = While text is typed, single letters are no commands.
help-version = Console { $console } · server { $server }
settings-title = Settings of this workstation
settings-workstation = Name
settings-workstation-hint = This name is recorded as “Flagged at station” of an incident.
settings-scale = Size of everything
settings-typing = Typing Vietnamese
settings-typing-hint = Only where the input method of the system does not work in this console; switch that one off then.
    Key to switch: { $keys }
typing-off = Off
typing-telex = Telex
typing-vni = VNI
settings-sound = Loudspeaker
settings-sound-starting = Looking for a loudspeaker…
settings-stills = Last pictures
settings-stills-keep = Keep the last picture of each camera
settings-stills-hint = At the start each tile shows the last picture seen with its time, until the live picture comes.
    Clearing this deletes the pictures that are kept.
settings-server = Server

## Status bar

status-connected = Connected to the server
status-connecting = Connecting to the server…
status-lost = Connection to the server lost
status-recording = Recording { $count } of { $all } cameras
status-failed = { $count ->
        [one] { $count } camera failing
       *[other] { $count } cameras failing
    }
status-disk = { $free } free on disk
status-store-problem = The storage has a problem
status-export = Exporting { $percent } %
status-no-gpu = No graphics card can be used, pictures may stutter
status-no-sound = This workstation has no loudspeaker
status-sound-failed = The loudspeaker failed
status-typing = Typing Vietnamese: { $method }

## Keeping recordings, in the status bar

storage-locked = Deletion is locked
storage-locked-advice = The database does not match the footage on the disk, so the server deletes nothing. Recording goes on, but the disk will fill up. Let a technician look at it now.
storage-age-locked = The server's clock may be wrong: nothing is deleted by its age
storage-age-locked-advice = The server's clock has jumped ahead. Until a technician has looked at it, old recordings are kept longer than set; recording goes on.
storage-spool-alarm = The recording disk is { $percent } % full
storage-spool-alarm-advice = Recordings do not reach the archive fast enough. Let a technician look at the archive, or add a disk.
storage-disk-alarm-advice = When it fills up further, the oldest recordings that are not on hold are deleted to go on recording. Add a disk to keep them longer.
storage-deleting = The recording disk is { $percent } % full, the oldest recordings are being deleted
storage-deleting-advice = Only recordings that are not on hold are deleted. Add a disk to keep them longer.
storage-full-of-held = DISK FULL: only recordings on hold are left
storage-full-of-held-advice = Nothing is left that may be deleted; recording is about to stop. Release holds that are no longer needed, or add a disk now.
storage-full-of-unarchived = DISK FULL: recordings cannot be moved to the archive
storage-full-of-unarchived-advice = Nothing is left that may be deleted; recording is about to stop. Let a technician bring the archive back, or add a disk now.
storage-archive-lost = The archive does not answer
storage-archive-lost-since = The archive does not answer, recordings since { $time } wait
storage-archive-lost-advice = The server goes on recording to its own disk ({ $size } are waiting), and playback goes on. Let a technician look at the archive before that disk is full.
storage-damaged = { $count ->
        [one] { $count } recorded file is damaged
       *[other] { $count } recorded files are damaged
    }
storage-damaged-advice = Damaged parts are red on the timeline and are not played. Let a technician look at the disk and the archive.

## Without a server

offline-opening = Connecting to the server…
offline-title = The server cannot be reached
offline-trying = Trying again…
offline-retry = { $seconds ->
        [one] Trying again in { $seconds } second
       *[other] Trying again in { $seconds } seconds
    }
offline-check = Please check that
offline-check-server = the server is on and minhbach-server is running
offline-check-network = this workstation is connected to the network
offline-check-address = the address above is the server's
offline-recording = If the server is running, recording of picture and sound goes on unharmed.

## Messages

toast-flagged = { $count ->
        [one] Incident flagged on { $count } camera
       *[other] Incident flagged on { $count } cameras
    }
toast-note-hint = Note (optional), Enter to save
toast-undone = The flag was taken back
toast-nothing-to-undo = There is nothing to undo.
toast-incident-saved = Incident saved
toast-no-camera = There is no camera on the wall.
toast-no-gap = There is no gap to skip here.
toast-nothing-recorded = Nothing has been recorded of these cameras.
toast-mark-first = Mark a range first: press { $mark_in } at its start and { $mark_out } at its end.
toast-sound-on = Sound on: { $camera }
toast-camera-saved = Camera “{ $camera }” saved
toast-camera-paused = Recording of “{ $camera }” paused
toast-camera-resumed = Recording of “{ $camera }” resumed
toast-camera-removed = Camera removed
toast-export-started = { $count ->
        [one] Exporting { $count } file
       *[other] Exporting { $count } files
    }
toast-export-done = { $count ->
        [one] { $count } file exported to { $folder }
       *[other] { $count } files exported to { $folder }
    }
toast-export-failed = { $failed } failed, { $count } exported
toast-export-cancelled = Export cancelled
toast-list-written = List saved: { $path }
toast-held = { $count ->
        [one] The footage of { $count } camera is held
       *[other] The footage of { $count } cameras is held
    }
toast-hold-released = Hold released
toast-copied = Copied

## When something does not work

failed-flag = The incident could not be flagged. { $why }
failed-undo = The flag could not be taken back. { $why }
failed-incident = The incident could not be saved. { $why }
failed-camera = This could not be done with the camera. { $why }
failed-test = The camera could not be tested. { $why }
failed-timeline = The recordings could not be read. { $why }
failed-hold = The hold could not be placed. { $why }
failed-release = The hold could not be released. { $why }
failed-file = The file could not be written. { $why }

error-unreachable = The server cannot be reached.
error-not-found = This is no longer on the server.
error-refused = The server refuses the request. See the technical detail, or check the versions of server and console.
error-conflict = Somebody else has just changed it; look again before going on.
error-timed-out = The server took too long to answer.
error-broken = Server and console are not compatible; check their versions.
error-local = This workstation's disk cannot be written.
error-busy = Too many requests at once, please try again.

## Why the server refuses, and what to do

refusal-empty = { $field } is empty. Enter 1 to { $max } characters.
refusal-too-long = { $field } has { $chars } characters. Shorten it to { $max } at most.
refusal-name-control = { $field } holds a hidden character ({ $code }). Delete it and type it again.
refusal-note-control = { $field } holds a hidden character. Delete it and type it again.
refusal-url-syntax = { $field }: this is no address. It must look like rtsp://host/path.
refusal-url-scheme = { $field }: the address begins with “{ $scheme }:”. Only rtsp:// can be used.
refusal-url-credentials = { $field }: the address holds a user name or password. Put them into their own fields.
refusal-field-missing = The request lacks “{ $field }”. Check the versions of server and console.
refusal-field-unknown = The server does not understand “{ $value }” in “{ $field }”. Check the versions of server and console.
refusal-field-invalid = “{ $field }” is not valid. Change it; if that does not help, check the versions of server and console.
refusal-range-empty = The end must be later than the start. Choose the range again.
refusal-range-too-long = The range is too long. Choose { $hours } hours at most.
refusal-too-many-cameras = Too many cameras. Choose { $max } at most.
refusal-already-exists = This is on the server already.
refusal-place-in-use = There are still cameras or places in it. Move or remove them first.
refusal-undo-too-late = More than { $seconds } seconds have passed, so it cannot be undone. Close the incident instead.
refusal-stream-unknown = The camera does not have this stream. Check its main and sub stream on the Cameras page.
refusal-nothing-recorded = Nothing is recorded in this range.
refusal-codec-changes = The video format changes within the range, which one file cannot hold. Export the parts before and after.
refusal-exports-busy = The server is running { $max } exports. Try again when one has ended.
refusal-footage-unreadable = The server cannot read this recording. Let a technician look at the server's log.
refusal-archive-unavailable = This recording is in the archive, which does not answer; recording goes on. Let a technician check the archive.
refusal-camera-paused = The camera is paused, so there is no live picture. Resume it on the Cameras page.
refusal-range-future = The range ends later than now. Flag only what has happened.
refusal-hold-released = This hold has been released before.
refusal-expiry-past = The end of the hold is over already. Choose a later time, or leave it empty.
refusal-retention-impossible = { $min } days cannot be promised while at most { $max } are kept. Raise the most, or promise less.
refusal-database-unavailable = The server's database does not answer; recording goes on. Let a technician look at the server's log.
refusal-stopping = The server is stopping. Try again when it has been started again.
refusal-internal = The server met a fault. Try again; if it stays, let a technician look at the server's log.

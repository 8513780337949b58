### Mọi chữ của ứng dụng giám sát. Tiếng Việt là bản gốc; `en/console.ftl` có đúng các khóa này.

app-name = Minh Bạch
key-space = Phím cách
key-none = chưa đặt

## Trang

page-live = Trực tiếp
page-playback = Xem lại
page-incidents = Sự việc
page-cameras = Camera

## Nút dùng chung

action-save = Lưu
action-cancel = Hủy
action-close = Đóng
action-copy = Sao chép
technical-detail = Chi tiết kỹ thuật
action-discard = Bỏ thay đổi
action-undo-left = Hoàn tác (còn { $seconds } giây)

## Lệnh

cmd-flag = Đánh dấu sự việc trên các ô đang xem
cmd-undo-flag = Hoàn tác lần đánh dấu vừa rồi
cmd-listen = Nghe tiếng ô đang chọn
cmd-promote = Phóng to/thu nhỏ ô đang chọn
cmd-select-next = Chọn ô kế tiếp
cmd-select-previous = Chọn ô trước đó
cmd-clear-tile = Bỏ camera khỏi ô
cmd-rewind = Xem lại 15 giây vừa qua
cmd-toggle = Phát/tạm dừng
cmd-slower = Giảm tốc độ phát
cmd-faster = Tăng tốc độ phát
cmd-step-back = Lùi một khung hình
cmd-step-forward = Tiến một khung hình
cmd-skip-back = Tua lùi 10 giây
cmd-skip-forward = Tua tới 10 giây
cmd-first = Về đầu bản ghi
cmd-live-edge = Về thời điểm hiện tại
cmd-jump-gap = Bỏ qua khoảng trống
cmd-mark-in = Đặt điểm đầu
cmd-mark-out = Đặt điểm cuối
cmd-clear-marks = Xóa điểm đầu và điểm cuối
cmd-go-to = Đến thời điểm…
cmd-export = Trích xuất…
cmd-hold = Niêm phong…
cmd-holds = Danh sách niêm phong
cmd-layout-1 = Bố cục 1 ô
cmd-layout-4 = Bố cục 4 ô
cmd-layout-8 = Bố cục 1 ô lớn + 7 ô nhỏ
cmd-layout-9 = Bố cục 9 ô
cmd-layout-16 = Bố cục 16 ô
cmd-add-camera = Thêm camera
cmd-page-live = Mở trang Trực tiếp
cmd-page-playback = Mở trang Xem lại
cmd-page-incidents = Mở trang Sự việc
cmd-page-cameras = Mở trang Camera
cmd-incident-next = Chọn sự việc kế tiếp
cmd-incident-previous = Chọn sự việc trước đó
cmd-palette = Tìm camera, trang và lệnh
cmd-tree = Ẩn/hiện danh sách camera
cmd-fullscreen = Toàn màn hình
cmd-mute = Tắt/bật tiếng
cmd-language = Chuyển sang tiếng Anh (English)
cmd-settings = Thiết lập trên máy này
cmd-typing = Bật/tắt gõ tiếng Việt
cmd-help = Phím tắt của trang này
cmd-escape = Quay lại

## Thanh trên

header-volume = Âm lượng
header-mute = Tắt tiếng
header-unmute = Bật tiếng

## Danh sách camera

tree-search = Tìm camera, địa điểm
tree-empty = Chưa có camera nào.
tree-nothing-found = Không tìm thấy camera nào.
tree-unplaced = Chưa gán địa điểm
tree-troubled = { $troubled }/{ $cameras } có sự cố
tree-removed = Camera đã gỡ
tree-removed-on = Gỡ ngày { $day }
tree-removed-unknown = Không rõ ngày gỡ
tree-removed-id = Mã camera: { $id }

## Tường hình

wall-no-cameras = Chưa có camera nào
wall-no-cameras-advice = Thêm camera đầu tiên để bắt đầu xem và ghi.
tile-vacant = Kéo camera vào đây
tile-connecting = Đang kết nối…
tile-live = Trực tiếp
tile-live-recording = Trực tiếp · Đang ghi
tile-live-not-recording = Trực tiếp · KHÔNG GHI
tile-catching-up = Hình đang bị trễ
tile-loading = Đang tải hình…
tile-frozen = Đứng hình từ { $time }
tile-no-picture = Chưa nhận được hình ({ $length })
tile-lost = Mất tín hiệu { $length }
tile-still = Hình cuối lúc { $time }
tile-still-seconds = Hình cuối lúc { $time }, cách đây { $count } giây
tile-still-minutes = Hình cuối lúc { $time }, cách đây { $count } phút
tile-still-hours = Hình cuối lúc { $time }, cách đây { $count } giờ
tile-still-days = Hình cuối lúc { $time }, cách đây { $count } ngày
tile-paused = Đã tạm dừng ghi
tile-gap = Không có bản ghi
tile-replay = Xem lại
tile-end = Hết bản ghi
tile-failed = Không xem được
tile-instead-main = Luồng phụ bị lỗi, đang xem luồng chính
tile-instead-sub = Luồng chính bị lỗi, đang xem luồng phụ
meter-none = Không có tiếng
meter-on = Đang nghe tiếng ô này
meter-off = Nghe tiếng ô này
stream-main = Luồng chính
stream-sub = Luồng phụ
menu-show = Đưa lên tường hình
menu-promote = Phóng to/thu nhỏ ô này
menu-play-back = Xem lại từ một phút trước
menu-camera-settings = Thông tin camera
menu-zoom-reset = Trả hình về cỡ gốc
menu-copy-technical = Sao chép chi tiết kỹ thuật

## Xem lại

playback-live-edge = Về thời điểm hiện tại
playback-speed = Tốc độ phát
playback-mark-hint = Nhấn { $mark_in } và { $mark_out } để chọn một đoạn
playback-mark-end = Nhấn { $mark_out } để đặt điểm cuối
timeline-name = Dòng thời gian, đang ở { $time }
timeline-gap = Không có bản ghi: { $cause }
    { $from } – { $to } ({ $length })
timeline-gap-open = Không có bản ghi: { $cause }
    Từ { $from } đến nay
timeline-damaged = Bản ghi bị hỏng
timeline-damage = Bản ghi bị hỏng: { $kind }
    { $from } – { $to }, phát hiện lúc { $found }
    Đoạn này không được phát và không được trích xuất.
goto-title = Đến thời điểm
goto-hint = Ví dụ: 1405, 14:05:09 hoặc 24/11 14:05
goto-unknown = Không nhận ra thời gian đã nhập. Ví dụ: 1405, 14:05:09 hoặc 24/11 14:05
goto-future = Thời điểm này chưa đến.

## Vì sao thiếu bản ghi

gap-camera-unreachable = Không kết nối được tới camera
gap-auth-refused = Sai tên đăng nhập hoặc mật khẩu camera
gap-stalled = Camera vẫn kết nối nhưng không gửi hình
gap-disconnected = Camera ngắt kết nối
gap-packet-loss = Mất gói tin trên đường truyền
gap-unsupported = Camera gửi định dạng chưa hỗ trợ ghi
gap-recorder-down = Máy chủ ngừng hoạt động
gap-recorder-behind = Máy chủ không ghi kịp
gap-disk-full = Ổ đĩa đã đầy
gap-disk-error = Lỗi ổ đĩa
gap-paused-by-operator = Người vận hành tạm dừng ghi
gap-camera-clock = Đồng hồ camera bị lệch đột ngột
gap-starting = Đang chờ camera gửi hình
gap-rebuilt = Không rõ nguyên nhân: chỉ mục đã được dựng lại từ bản ghi

## Bản ghi hỏng

damage-altered = Nội dung không còn đúng như lúc ghi
damage-truncated = Tệp bị cụt
damage-missing = Tệp bị mất hoặc không đọc được

## Trạng thái camera

camera-recording = Đang ghi
camera-partly = Đang ghi, luồng phụ bị lỗi
camera-connecting = Đang kết nối
camera-paused = Đã tạm dừng ghi
camera-removed = { $camera } (đã gỡ)

sound-unknown = Chưa rõ có tiếng hay không
sound-flows = Có tiếng
sound-not-offered = Đang ghi hình, camera không gửi tiếng
sound-unsupported = Đang ghi hình, định dạng tiếng chưa hỗ trợ
sound-refused = Đang ghi hình, camera từ chối gửi tiếng
sound-missing = Đang ghi hình, mất tiếng

advice-sound-none = Không cần làm gì.
advice-sound-not-offered = Bật micro (âm thanh) của luồng chính trong phần cài đặt của camera.
advice-sound-unsupported = Cài đặt âm thanh của camera dùng chuẩn AAC hoặc G.711.
advice-sound-refused = Kiểm tra quyền nghe của tài khoản trên camera, rồi khởi động lại camera nếu vẫn lỗi.
advice-sound-missing = Kiểm tra micro và dây micro. Nếu micro tích hợp sẵn, hãy khởi động lại camera.

failure-unknown-host = Không tìm thấy tên máy của camera
failure-connection-refused = Camera từ chối kết nối (cổng chưa mở)
failure-unreachable = Không kết nối được tới camera
failure-timed-out = Camera không phản hồi kịp
failure-auth-refused = Sai tên đăng nhập hoặc mật khẩu camera
failure-not-found = Sai đường dẫn luồng
failure-no-video = Camera không cung cấp luồng hình
failure-unsupported-codec = Định dạng hình chưa hỗ trợ
failure-access-unit-too-large = Khung hình quá lớn
failure-stalled = Không có hình mới
failure-closed = Camera ngắt kết nối
failure-clock-jump = Đồng hồ bị lệch đột ngột
failure-protocol = Camera phản hồi sai giao thức
failure-no-key-picture = Không giải mã được hình của camera
failure-disk-full = Không ghi được: ổ đĩa đầy
failure-disk-error = Không ghi được: lỗi ổ đĩa
failure-recorder-behind = Không ghi được: máy chủ ghi không kịp

advice-unknown-host = Kiểm tra tên máy trong địa chỉ, hoặc dùng trực tiếp địa chỉ IP của camera.
advice-connection-refused = Kiểm tra số cổng (thường là 554) và xem dịch vụ RTSP của camera đã bật chưa.
advice-unreachable = Kiểm tra nguồn điện, dây mạng và địa chỉ IP của camera.
advice-timed-out = Kiểm tra đường mạng tới camera. Camera quá tải cũng có thể phản hồi chậm.
advice-auth-refused = Nhập lại tên đăng nhập và mật khẩu. Sau nhiều lần sai, camera có thể khóa tài khoản vài phút.
advice-not-found = Đối chiếu phần đường dẫn (sau địa chỉ máy) với tài liệu của camera.
advice-no-video = Bật luồng hình trong phần cài đặt của camera.
advice-unsupported-codec = Cài đặt camera dùng chuẩn nén H.264 hoặc H.265.
advice-access-unit-too-large = Giảm độ phân giải hoặc tốc độ bit của luồng này trên camera.
advice-stalled = Camera có thể bị treo. Nếu không tự hồi phục, hãy khởi động lại camera.
advice-closed = Máy chủ đang tự kết nối lại. Nếu lặp lại nhiều lần, kiểm tra mạng và số luồng tối đa của camera.
advice-clock-jump = Bật đồng bộ giờ qua NTP trên máy chủ và camera.
advice-protocol = Cập nhật firmware cho camera. Phần chi tiết kỹ thuật cho biết camera đã trả lời gì.
advice-no-key-picture = Trên camera, đặt khoảng cách khung hình chính (I-frame) từ 1 đến 4 giây. Nếu vẫn lỗi, cập nhật firmware.
advice-disk-full = Giải phóng dung lượng hoặc gắn thêm ổ đĩa lưu bản ghi trên máy chủ. Có chỗ trống là máy chủ tự ghi tiếp.
advice-disk-error = Báo kỹ thuật viên kiểm tra ổ đĩa và quyền ghi của thư mục lưu bản ghi. Hết lỗi là máy chủ tự ghi tiếp.
advice-recorder-behind = Ổ đĩa của máy chủ phản hồi quá chậm hoặc quá tải. Báo kỹ thuật viên kiểm tra; hết lỗi là máy chủ tự ghi tiếp.

exact-unknown-host = Không tra được địa chỉ của tên máy “{ $host }”.
exact-timed-out = Camera không phản hồi trong { $seconds } giây.
exact-unsupported-codec = Camera đang gửi hình ở định dạng { $offered }.
exact-access-unit-too-large = Một khung hình nặng { $megabytes } MB; máy chủ chỉ nhận tối đa { $max } MB.
exact-stalled = Camera vẫn kết nối nhưng không gửi hình trong { $seconds } giây.
exact-clock-jump = Đồng hồ máy chủ vừa được chỉnh lệch { $milliseconds } mili giây; bản ghi bắt đầu lại theo giờ mới.

## Sự việc

incident-new = Mới
incident-in-progress = Đang xử lý
incident-shelved = Tạm hoãn
incident-closed = Đã đóng
category-unsorted = Chưa phân loại
category-conduct = Thái độ, ứng xử không đúng mực
category-payment = Nghi đưa, nhận tiền, quà
category-obstruction = Gây phiền hà, kéo dài thời gian
category-absence = Bỏ vị trí làm việc
category-tampering = Che chắn, can thiệp thiết bị
category-safety = An toàn, trật tự
category-other = Khác
incident-created = Đánh dấu lúc
incident-range = Khoảng thời gian
incident-state = Trạng thái
incident-category = Loại sự việc
incident-cameras = Camera
incident-note = Ghi chú
incident-author = Nơi đánh dấu
incident-title = Sự việc lúc { $time }
incident-play = Mở ở trang Xem lại
incidents-search = Tìm sự việc
incidents-all = Tất cả
incidents-csv = Xuất danh sách (CSV)
incidents-loading = Đang tải danh sách…
incidents-loading-advice = Danh sách sẽ hiện khi máy chủ phản hồi.
incidents-empty = Chưa có sự việc nào
incidents-empty-advice = Khi đang xem, nhấn phím { $flag } để đánh dấu một sự việc; hình vẫn chạy tiếp.
incidents-nothing-found = Không có sự việc nào phù hợp
incidents-nothing-found-advice = Bỏ bớt từ tìm kiếm hoặc chọn “Tất cả”.
incidents-row-hint = Bấm để xem tại đây; bấm đúp để mở ở trang Xem lại

## Camera

cameras-search = Tìm camera
cameras-name = Tên
cameras-place = Địa điểm
cameras-state = Trạng thái
cameras-since = Từ lúc
cameras-video = Hình ảnh
cameras-audio = Âm thanh
cameras-bit-rate = Tốc độ bit
cameras-frame-rate = Khung hình/giây
cameras-retry = Thử lại lúc
cameras-lost = Số gói tin bị mất
cameras-runs = Số lần kết nối
cameras-edit = Sửa
cameras-pause = Tạm dừng ghi
cameras-resume = Tiếp tục ghi
cameras-remove = Gỡ bỏ
cameras-empty = Chưa có camera nào
cameras-empty-advice = Bấm “Thêm camera”, nhập địa chỉ rồi bấm “Kiểm tra” để xem ảnh chụp thử trước khi lưu.
cameras-nothing-found = Không tìm thấy camera nào
cameras-nothing-found-advice = Thử tìm bằng tên khác; không cần gõ dấu.

form-title-add = Thêm camera
form-title-edit = Sửa camera
form-name = Tên
form-main = Luồng chính
form-sub = Luồng phụ
form-username = Tên đăng nhập
form-password = Mật khẩu
form-password-kept = Để trống nếu không đổi
form-place = Địa điểm
form-place-new = Địa điểm mới…
form-agency = Cơ quan
form-site = Trụ sở
form-contact-point = Điểm tiếp dân
form-hint = Luồng phụ có độ phân giải thấp, dùng cho ô nhỏ; có thể để trống.
form-problem-name = Tên phải có từ 1 đến 200 ký tự.
form-problem-main = Luồng chính phải có dạng rtsp://địa-chỉ/đường-dẫn.
form-problem-sub = Luồng phụ phải có dạng rtsp://địa-chỉ/đường-dẫn.
form-problem-credentials = Nhập tên đăng nhập và mật khẩu vào ô riêng, không ghi trong địa chỉ.
form-problem-place = Nhập đủ tên cơ quan, trụ sở và điểm tiếp dân của địa điểm mới.
form-saving = Đang lưu…
form-test = Kiểm tra
form-test-hint = Bấm “Kiểm tra” để chụp thử một ảnh. Cài đặt trên camera không bị thay đổi.
form-testing = Đang kiểm tra… { $seconds } giây
form-still = Ảnh chụp thử từ camera
form-no-sound = không có tiếng
form-figures = { $bitrate } · { $fps } khung hình/giây · có hình sau { $first } ms
remove-title = Gỡ bỏ “{ $camera }”?
remove-text = Camera này sẽ ngừng ghi và không còn trong danh sách. Bản ghi đã có vẫn được giữ.
pause-title = Tạm dừng ghi “{ $camera }”?
pause-text = Trong lúc tạm dừng, camera này không được ghi hình, ghi âm.

## Trích xuất

export-title = Trích xuất
export-range = Khoảng thời gian
export-use-marks = Dùng điểm đầu và điểm cuối đang đặt
export-without-audio = Không kèm âm thanh
export-folder = Thư mục lưu trên máy này
export-size = Tổng cộng { $size }
export-measuring = Đang tính dung lượng…
export-gaps = { $count } khoảng trống
export-no-sound = không có tiếng
export-start = Trích xuất
export-running = { $files } tệp · { $speed }/s · còn { $left }
export-waiting = { $files } tệp · đang chuẩn bị
export-ended = { $files } tệp · đã kết thúc
export-forget = Dọn các mục đã kết thúc

## Niêm phong

hold-title = Niêm phong bản ghi
hold-text = Bản ghi đã niêm phong không bị xóa, kể cả khi ổ đĩa đầy, cho đến khi hết hạn hoặc có người gỡ niêm phong.
hold-reason = Lý do
hold-case = Mã hồ sơ
hold-case-hint = Không ghi họ tên
hold-until = Hết hạn
hold-until-never = Để trống nếu không thời hạn
hold-until-at = Tự hết hạn lúc { $time }
hold-until-past = { $time } đã qua
hold-until-unknown = Không nhận ra ngày đã nhập
hold-owner = Nơi niêm phong
hold-place = Niêm phong
hold-sending = Đang gửi…
hold-standing = Đang niêm phong
hold-released = Đã gỡ
hold-expired = Đã hết hạn
hold-never = Không thời hạn
hold-play = Xem lại
hold-release = Gỡ niêm phong…
hold-release-title = Gỡ niêm phong
hold-release-text = Sau khi gỡ, bản ghi này có thể bị xóa khi hết thời gian lưu giữ hoặc khi ổ đĩa đầy. Việc gỡ và lý do được lưu lại.
hold-release-reason = Lý do gỡ
hold-release-confirm = Gỡ niêm phong
hold-ended = Gỡ lúc { $time }, tại { $by }: { $reason }
holds-title = Danh sách niêm phong
holds-empty = Chưa niêm phong bản ghi nào
holds-empty-advice = Ở trang Xem lại, chọn một đoạn rồi nhấn { $hold }; hoặc mở một sự việc và bấm “Niêm phong…”.

## Bảng tìm nhanh, trợ giúp, cài đặt

palette-hint = Gõ tên camera, trang hoặc lệnh; không cần dấu
palette-nothing = Không tìm thấy kết quả nào.
help-title = Phím tắt – { $page }
help-rebind = Bấm vào phím của một lệnh để đổi sang phím khác.
help-listening = Nhấn phím mới, Esc để thôi
help-key-taken = Phím { $keys } đang dùng cho “{ $command }”.
help-key-reserved = Phím { $keys } được dành riêng, không dùng cho lệnh khác được.
help-change = { $command }: { $keys }. Bấm để đổi phím
help-reset = Đặt lại
help-reset-all = Đặt lại tất cả
help-tree = Danh sách: bấm đúp để đưa camera vào ô trống kế tiếp; kéo để đặt vào một ô.
help-wall = Ô hình: bấm đúp để phóng to ô; kéo sang ô khác để đổi chỗ; lăn chuột để thu phóng hình.
help-timeline = Dòng thời gian: lăn chuột để thu phóng; kéo để di chuyển; bấm để đến thời điểm đó.
help-typing = Khi con trỏ đang ở ô nhập chữ, phím tắt một chữ cái không có tác dụng.
help-version = Ứng dụng giám sát { $console } · máy chủ { $server }
settings-title = Thiết lập trên máy này
settings-workstation = Tên máy
settings-workstation-hint = Tên này được ghi vào mục “Nơi đánh dấu” của sự việc.
settings-scale = Tỷ lệ hiển thị
settings-typing = Gõ tiếng Việt
settings-typing-hint = Chỉ bật khi bộ gõ của máy không gõ được trong ứng dụng này; khi đó hãy tắt bộ gõ của máy.
    Bật/tắt nhanh bằng phím: { $keys }
typing-off = Tắt
typing-telex = Telex
typing-vni = VNI
settings-sound = Loa
settings-sound-starting = Đang tìm loa…
settings-stills = Hình cuối của camera
settings-stills-keep = Giữ hình cuối trên máy này
settings-stills-hint = Khi mở ứng dụng, mỗi ô hiện ngay hình cuối đã xem kèm giờ của hình, trong lúc chờ hình trực tiếp.
    Khi bỏ chọn, các hình đã giữ sẽ bị xóa.
settings-server = Máy chủ

## Thanh trạng thái

status-connected = Đã kết nối máy chủ
status-connecting = Đang kết nối máy chủ…
status-lost = Mất kết nối máy chủ
status-recording = Đang ghi { $count }/{ $all } camera
status-failed = { $count } camera bị lỗi
status-disk = Ổ đĩa còn trống { $free }
status-store-problem = Kho lưu trữ gặp lỗi
status-export = Đang trích xuất { $percent } %
status-no-gpu = Không dùng được card đồ họa, hình có thể bị giật
status-no-sound = Máy này không có loa
status-sound-failed = Loa gặp lỗi
status-typing = Gõ tiếng Việt: { $method }

## Lưu giữ bản ghi, ở thanh trạng thái

storage-locked = Đang khóa việc xóa bản ghi
storage-locked-advice = Cơ sở dữ liệu không khớp với bản ghi trên ổ đĩa nên máy chủ không xóa gì. Việc ghi vẫn tiếp tục, nhưng ổ đĩa sẽ đầy dần. Báo kỹ thuật viên ngay.
storage-age-locked = Đồng hồ máy chủ có thể sai: tạm ngừng xóa bản ghi quá hạn
storage-age-locked-advice = Đồng hồ máy chủ nhảy vọt về phía trước. Bản ghi quá hạn được giữ lại cho tới khi kỹ thuật viên kiểm tra; việc ghi vẫn tiếp tục.
storage-spool-alarm = Ổ đĩa ghi đã dùng { $percent } %
storage-spool-alarm-advice = Bản ghi chuyển sang kho lưu trữ không kịp. Báo kỹ thuật viên kiểm tra kho lưu trữ, hoặc gắn thêm ổ đĩa.
storage-disk-alarm-advice = Khi ổ đĩa đầy thêm, bản ghi cũ nhất chưa niêm phong sẽ bị xóa để có chỗ ghi tiếp. Muốn giữ lâu hơn, gắn thêm ổ đĩa.
storage-deleting = Ổ đĩa ghi đã dùng { $percent } %, đang xóa bản ghi cũ nhất
storage-deleting-advice = Chỉ xóa bản ghi chưa niêm phong. Muốn giữ lâu hơn, gắn thêm ổ đĩa.
storage-full-of-held = ĐẦY Ổ ĐĨA: chỉ còn bản ghi niêm phong
storage-full-of-held-advice = Không còn bản ghi nào được phép xóa; việc ghi sắp dừng. Gỡ những niêm phong không còn cần, hoặc gắn thêm ổ đĩa ngay.
storage-full-of-unarchived = ĐẦY Ổ ĐĨA: bản ghi chưa chuyển được vào kho lưu trữ
storage-full-of-unarchived-advice = Không còn bản ghi nào được phép xóa; việc ghi sắp dừng. Báo kỹ thuật viên khôi phục kho lưu trữ, hoặc gắn thêm ổ đĩa ngay.
storage-archive-lost = Kho lưu trữ không phản hồi
storage-archive-lost-since = Kho lưu trữ không phản hồi, bản ghi từ { $time } đang chờ
storage-archive-lost-advice = Máy chủ vẫn ghi và giữ bản ghi trên ổ đĩa ghi ({ $size } đang chờ chuyển); xem lại vẫn được. Báo kỹ thuật viên kiểm tra kho lưu trữ trước khi ổ đĩa ghi đầy.
storage-damaged = { $count } tệp bản ghi bị hỏng
storage-damaged-advice = Đoạn hỏng được tô đỏ trên dòng thời gian và không được phát. Báo kỹ thuật viên kiểm tra ổ đĩa và kho lưu trữ.

## Khi không có máy chủ

offline-opening = Đang kết nối máy chủ…
offline-title = Không kết nối được máy chủ
offline-trying = Đang thử lại…
offline-retry = Tự thử lại sau { $seconds } giây
offline-check = Hãy kiểm tra:
offline-check-server = Máy chủ đã bật và chương trình minhbach-server đang chạy
offline-check-network = Máy này còn kết nối mạng
offline-check-address = Địa chỉ ở trên đúng là địa chỉ của máy chủ
offline-recording = Nếu máy chủ vẫn chạy, việc ghi hình, ghi âm không bị ảnh hưởng.

## Thông báo

toast-flagged = Đã đánh dấu sự việc trên { $count } camera
toast-note-hint = Ghi chú (không bắt buộc), Enter để lưu
toast-undone = Đã bỏ đánh dấu sự việc
toast-nothing-to-undo = Không có gì để hoàn tác.
toast-incident-saved = Đã lưu sự việc
toast-no-camera = Chưa có camera nào trên tường hình.
toast-no-gap = Ở đây không có khoảng trống nào để bỏ qua.
toast-nothing-recorded = Các camera này chưa có bản ghi nào.
toast-mark-first = Chọn một đoạn trước: nhấn { $mark_in } ở điểm đầu và { $mark_out } ở điểm cuối.
toast-sound-on = Đã bật tiếng: { $camera }
toast-camera-saved = Đã lưu camera “{ $camera }”
toast-camera-paused = Đã tạm dừng ghi “{ $camera }”
toast-camera-resumed = Đã tiếp tục ghi “{ $camera }”
toast-camera-removed = Đã gỡ bỏ camera
toast-export-started = Đang trích xuất { $count } tệp
toast-export-done = Đã trích xuất { $count } tệp vào { $folder }
toast-export-failed = { $failed } tệp không trích xuất được, { $count } tệp đã xong
toast-export-cancelled = Đã hủy trích xuất
toast-list-written = Đã lưu danh sách: { $path }
toast-held = Đã niêm phong bản ghi của { $count } camera
toast-hold-released = Đã gỡ niêm phong
toast-copied = Đã sao chép

## Khi một việc không thành

failed-flag = Không đánh dấu được sự việc. { $why }
failed-undo = Không bỏ được đánh dấu. { $why }
failed-incident = Không lưu được sự việc. { $why }
failed-camera = Không thực hiện được thao tác với camera. { $why }
failed-test = Không kiểm tra được camera. { $why }
failed-timeline = Không đọc được bản ghi. { $why }
failed-hold = Không niêm phong được. { $why }
failed-release = Không gỡ được niêm phong. { $why }
failed-file = Không ghi được tệp. { $why }

error-unreachable = Không kết nối được máy chủ.
error-not-found = Mục này không còn trên máy chủ.
error-refused = Máy chủ từ chối yêu cầu. Xem chi tiết kỹ thuật, hoặc kiểm tra phiên bản máy chủ và ứng dụng giám sát.
error-conflict = Người khác vừa thay đổi; hãy xem lại rồi làm tiếp.
error-timed-out = Máy chủ phản hồi quá chậm.
error-broken = Máy chủ và ứng dụng giám sát không tương thích; hãy kiểm tra phiên bản.
error-local = Không ghi được vào ổ đĩa của máy này.
error-busy = Đang có quá nhiều yêu cầu, hãy thử lại.

## Vì sao máy chủ từ chối, và cần làm gì

refusal-empty = { $field } đang để trống. Nhập từ 1 đến { $max } ký tự.
refusal-too-long = { $field } dài { $chars } ký tự. Rút gọn còn tối đa { $max } ký tự.
refusal-name-control = { $field } có ký tự ẩn ({ $code }). Xóa đi và gõ lại.
refusal-note-control = { $field } có ký tự ẩn. Xóa đi và gõ lại.
refusal-url-syntax = { $field }: địa chỉ không đúng. Nhập theo dạng rtsp://địa-chỉ/đường-dẫn.
refusal-url-scheme = { $field }: địa chỉ bắt đầu bằng “{ $scheme }:”. Chỉ dùng được địa chỉ rtsp://.
refusal-url-credentials = { $field }: địa chỉ có tên đăng nhập hoặc mật khẩu. Nhập chúng vào ô riêng.
refusal-field-missing = Yêu cầu thiếu mục “{ $field }”. Kiểm tra phiên bản máy chủ và ứng dụng giám sát.
refusal-field-unknown = Máy chủ không hiểu giá trị “{ $value }” ở mục “{ $field }”. Kiểm tra phiên bản máy chủ và ứng dụng giám sát.
refusal-field-invalid = Mục “{ $field }” không hợp lệ. Sửa lại; nếu vẫn lỗi, kiểm tra phiên bản máy chủ và ứng dụng giám sát.
refusal-range-empty = Điểm cuối phải sau điểm đầu. Chọn lại khoảng thời gian.
refusal-range-too-long = Khoảng thời gian quá dài. Chọn tối đa { $hours } giờ.
refusal-too-many-cameras = Quá nhiều camera. Chọn tối đa { $max } camera một lần.
refusal-already-exists = Mục này đã có trên máy chủ.
refusal-place-in-use = Địa điểm này vẫn còn camera hoặc địa điểm bên trong. Chuyển hoặc gỡ bỏ chúng trước.
refusal-undo-too-late = Đã quá { $seconds } giây nên không hoàn tác được. Hãy chuyển sự việc sang “Đã đóng”.
refusal-stream-unknown = Camera này không có luồng được yêu cầu. Kiểm tra luồng chính và luồng phụ ở trang Camera.
refusal-nothing-recorded = Không có bản ghi nào trong khoảng thời gian này.
refusal-codec-changes = Định dạng hình thay đổi giữa chừng nên không ghép được vào một tệp. Trích xuất riêng phần trước và phần sau.
refusal-exports-busy = Máy chủ đang chạy { $max } lượt trích xuất. Thử lại khi một lượt kết thúc.
refusal-footage-unreadable = Máy chủ không đọc được bản ghi này. Báo kỹ thuật viên xem nhật ký máy chủ.
refusal-archive-unavailable = Bản ghi này nằm ở kho lưu trữ, hiện kho không phản hồi; việc ghi hình vẫn tiếp tục. Báo kỹ thuật viên kiểm tra kho lưu trữ.
refusal-camera-paused = Camera đang tạm dừng ghi hình nên không có hình trực tiếp. Bật ghi lại ở trang Camera.
refusal-range-future = Khoảng thời gian kết thúc sau thời điểm hiện tại. Chỉ đánh dấu những gì đã diễn ra.
refusal-hold-released = Niêm phong này đã được gỡ trước đó.
refusal-expiry-past = Thời điểm hết hạn đã qua. Chọn một thời điểm sau bây giờ, hoặc để trống.
refusal-retention-impossible = Không thể cam kết giữ { $min } ngày mà chỉ giữ tối đa { $max } ngày. Tăng số ngày tối đa hoặc giảm số ngày cam kết.
refusal-database-unavailable = Cơ sở dữ liệu của máy chủ không phản hồi; việc ghi hình vẫn tiếp tục. Báo kỹ thuật viên xem nhật ký máy chủ.
refusal-stopping = Máy chủ đang dừng. Thử lại khi máy chủ đã khởi động lại.
refusal-internal = Máy chủ gặp lỗi. Thử lại; nếu vẫn lỗi, báo kỹ thuật viên xem nhật ký máy chủ.

### Mọi chữ của bàn giám sát. Tiếng Việt là bản gốc; `en/console.ftl` có đúng các khóa này.

app-name = Minh Bạch
key-space = Phím cách

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
action-discard = Bỏ thay đổi
action-undo = Hoàn tác
action-undo-left = Hoàn tác ({ $seconds })

## Lệnh

cmd-flag = Đánh dấu sự việc trên các ô đang xem
cmd-undo-flag = Hoàn tác lần đánh dấu vừa rồi
cmd-listen = Nghe ô đang chọn
cmd-promote = Phóng to ô đang chọn, hoặc thu lại
cmd-select-next = Chọn ô kế tiếp
cmd-select-previous = Chọn ô trước đó
cmd-clear-tile = Bỏ camera khỏi ô
cmd-rewind = Xem lại 15 giây vừa qua
cmd-toggle = Phát hoặc tạm dừng
cmd-slower = Chậm hơn
cmd-faster = Nhanh hơn
cmd-step-back = Lùi một hình
cmd-step-forward = Tới một hình
cmd-skip-back = Lùi 10 giây
cmd-skip-forward = Tới 10 giây
cmd-first = Về đầu bản ghi
cmd-live-edge = Về trực tiếp
cmd-jump-gap = Bỏ qua khoảng trống
cmd-mark-in = Đặt điểm đầu
cmd-mark-out = Đặt điểm cuối
cmd-clear-marks = Xóa điểm đầu và điểm cuối
cmd-go-to = Đến thời điểm…
cmd-export = Trích xuất…
cmd-layout-1 = Một ô
cmd-layout-4 = Bốn ô
cmd-layout-8 = Một ô lớn, bảy ô nhỏ
cmd-layout-9 = Chín ô
cmd-layout-16 = Mười sáu ô
cmd-add-camera = Thêm camera
cmd-page-live = Mở trang Trực tiếp
cmd-page-playback = Mở trang Xem lại
cmd-page-incidents = Mở trang Sự việc
cmd-page-cameras = Mở trang Camera
cmd-palette = Tìm camera, trang và lệnh
cmd-tree = Ẩn hoặc hiện danh sách camera
cmd-fullscreen = Toàn màn hình
cmd-mute = Tắt hoặc bật tiếng
cmd-language = Chuyển sang tiếng Anh (English)
cmd-settings = Cài đặt máy này
cmd-help = Phím tắt của trang này
cmd-escape = Quay lại một bước

## Thanh trên

header-volume = Âm lượng
header-mute = Tắt tiếng
header-unmute = Bật tiếng

## Danh sách camera

tree-search = Tìm camera, địa điểm
tree-empty = Chưa có camera nào.
tree-nothing-found = Không tìm thấy camera nào.
tree-unplaced = Chưa xếp chỗ
tree-troubled = { $troubled } lỗi / { $cameras }

## Tường hình

wall-no-cameras = Chưa có camera nào
wall-no-cameras-advice = Thêm camera đầu tiên để bắt đầu xem và ghi.
tile-vacant = Kéo một camera vào đây
tile-connecting = Đang kết nối…
tile-live = Trực tiếp
tile-live-recording = Trực tiếp · Đang ghi
tile-catching-up = Đang bắt kịp
tile-frozen = Đứng hình từ { $time }
tile-no-picture = Chưa có hình sau { $length }
tile-lost = Mất tín hiệu { $length }
tile-paused = Đã tạm dừng
tile-gap = Không có bản ghi
tile-replay = Xem lại
tile-end = Hết bản ghi
tile-failed = Không phát được
meter-none = Không có tiếng
meter-on = Đang nghe ô này
meter-off = Nghe ô này
stream-main = Luồng chính
stream-sub = Luồng phụ
menu-show = Đưa lên tường hình
menu-play-back = Xem lại từ một phút trước
menu-camera-settings = Thông tin camera
menu-zoom-reset = Bỏ phóng to

## Xem lại

playback-live-edge = Về trực tiếp
playback-speed = Tốc độ phát
playback-mark-hint = Bấm { "[" } và { "]" } để chọn một đoạn
playback-mark-end = Bấm { "]" } để đặt điểm cuối
timeline-name = Dòng thời gian, đang ở { $time }
timeline-gap = Không có bản ghi: { $cause }
    { $from } – { $to } ({ $length })
timeline-gap-open = Không có bản ghi: { $cause }
    Từ { $from } đến nay
goto-title = Đến thời điểm
goto-hint = Ví dụ: 1405, 14:05:09 hoặc 24/11 14:05
goto-unknown = Chưa hiểu thời điểm này. Ví dụ: 1405, 14:05:09 hoặc 24/11 14:05
goto-future = Thời điểm này chưa tới.

## Vì sao thiếu bản ghi

gap-camera-unreachable = Không liên lạc được với camera
gap-auth-refused = Camera từ chối mật khẩu
gap-stalled = Camera còn kết nối nhưng không gửi hình
gap-disconnected = Camera ngắt kết nối
gap-packet-loss = Mất gói trên đường truyền
gap-unsupported = Camera không gửi định dạng ghi được
gap-recorder-down = Máy chủ không hoạt động
gap-recorder-behind = Máy chủ không ghi kịp
gap-disk-full = Hết dung lượng đĩa
gap-disk-error = Lỗi đĩa
gap-paused-by-operator = Người vận hành tạm dừng ghi
gap-camera-clock = Đồng hồ camera nhảy giờ
gap-starting = Đang khởi động luồng

## Trạng thái camera

camera-recording = Đang ghi
camera-partly = Đang ghi, luồng phụ bị lỗi
camera-connecting = Đang kết nối
camera-paused = Đã tạm dừng

failure-unknown-host = Không tìm thấy tên máy
failure-connection-refused = Cổng không mở
failure-unreachable = Không liên lạc được
failure-timed-out = Camera không trả lời kịp
failure-auth-refused = Sai tên đăng nhập hoặc mật khẩu
failure-not-found = Sai đường dẫn luồng
failure-no-video = Camera không có hình
failure-unsupported-codec = Định dạng hình chưa hỗ trợ
failure-access-unit-too-large = Khung hình quá lớn
failure-stalled = Không có hình mới
failure-closed = Camera ngắt kết nối
failure-clock-jump = Đồng hồ camera nhảy giờ
failure-protocol = Camera trả lời sai giao thức

advice-unknown-host = Kiểm tra tên máy trong địa chỉ, hoặc dùng thẳng địa chỉ IP của camera.
advice-connection-refused = Kiểm tra số cổng (thường là 554) và xem dịch vụ RTSP của camera đã bật chưa.
advice-unreachable = Kiểm tra nguồn điện, dây mạng và địa chỉ IP của camera.
advice-timed-out = Kiểm tra đường mạng tới camera. Camera quá tải cũng có thể trả lời chậm.
advice-auth-refused = Nhập lại tên đăng nhập và mật khẩu. Sau nhiều lần sai, camera có thể khóa tài khoản vài phút.
advice-not-found = Xem lại phần đường dẫn sau địa chỉ máy trong tài liệu của camera.
advice-no-video = Bật luồng hình trong phần cài đặt của camera.
advice-unsupported-codec = Đặt camera phát H.264 hoặc H.265.
advice-access-unit-too-large = Giảm độ phân giải hoặc tốc độ bit của luồng này trên camera.
advice-stalled = Camera có thể bị treo. Nếu không tự hồi phục, hãy khởi động lại camera.
advice-closed = Máy chủ đang tự kết nối lại. Nếu lặp lại nhiều lần, kiểm tra mạng và số luồng tối đa của camera.
advice-clock-jump = Đặt camera đồng bộ giờ qua NTP.
advice-protocol = Cập nhật phần mềm của camera. Dòng chi tiết bên dưới dành cho kỹ thuật viên.

## Sự việc

incident-new = Mới
incident-in-progress = Đang xử lý
incident-shelved = Tạm hoãn
incident-closed = Đã đóng
category-unsorted = Chưa phân loại
category-conduct = Thái độ thiếu tôn trọng
category-payment = Nghi nhận tiền, quà
category-obstruction = Gây khó khăn, kéo dài
category-absence = Bỏ vị trí
category-tampering = Can thiệp thiết bị
category-safety = An toàn, trật tự
category-other = Khác
incident-created = Đánh dấu lúc
incident-range = Khoảng thời gian
incident-state = Trạng thái
incident-category = Loại sự việc
incident-cameras = Camera
incident-note = Ghi chú
incident-author = Người đánh dấu
incident-title = Sự việc lúc { $time }
incident-play = Xem lại sự việc
incidents-search = Tìm trong sự việc
incidents-all = Tất cả
incidents-csv = Lưu danh sách (CSV)
incidents-loading = Đang tải danh sách…
incidents-loading-advice = Danh sách hiện ra khi máy chủ trả lời.
incidents-empty = Chưa có sự việc nào
incidents-empty-advice = Khi đang xem, bấm F để đánh dấu một sự việc; hình vẫn chạy tiếp.
incidents-nothing-found = Không có sự việc nào phù hợp
incidents-nothing-found-advice = Bỏ bớt từ tìm kiếm hoặc chọn “Tất cả”.
incidents-row-hint = Bấm đúp để xem lại

## Camera

cameras-search = Tìm camera
cameras-name = Tên
cameras-place = Địa điểm
cameras-state = Trạng thái
cameras-since = Từ lúc
cameras-video = Hình
cameras-audio = Tiếng
cameras-bit-rate = Tốc độ bit
cameras-frame-rate = Hình/giây
cameras-retry = Thử lại lúc
cameras-lost = Số gói bị mất
cameras-runs = Số lần kết nối
cameras-edit = Sửa
cameras-pause = Tạm dừng ghi
cameras-resume = Ghi tiếp
cameras-remove = Gỡ bỏ
cameras-empty = Chưa có camera nào
cameras-empty-advice = Bấm “Thêm camera”, nhập địa chỉ rồi bấm “Kiểm tra” để thấy hình trước khi lưu.
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
form-saving = Đang lưu…
form-test = Kiểm tra
form-test-hint = Bấm “Kiểm tra” để lấy thử một hình. Không có gì trên camera bị thay đổi.
form-testing = Đang kiểm tra… { $seconds } giây
form-still = Hình lấy thử từ camera
form-no-sound = không có tiếng
form-figures = { $bitrate } · { $fps } hình/giây · hình đầu tiên sau { $first } ms
remove-title = Gỡ bỏ “{ $camera }”?
remove-text = Camera này sẽ ngừng ghi và không còn trong danh sách. Bản ghi đã có vẫn được giữ.

## Trích xuất

export-title = Trích xuất
export-range = Đoạn
export-use-marks = Lấy theo điểm đầu và điểm cuối hiện tại
export-without-audio = Không kèm tiếng
export-folder = Thư mục lưu trên máy này
export-size = Tổng cộng { $size }
export-measuring = Đang tính dung lượng…
export-gaps = { $count } khoảng trống
export-no-sound = không có tiếng
export-start = Trích xuất
export-running = { $files } tệp · { $speed }/s · còn { $left }
export-waiting = { $files } tệp · đang chuẩn bị
export-ended = { $files } tệp · đã xong
export-forget = Xóa khỏi danh sách

## Bảng tìm nhanh, trợ giúp, cài đặt

palette-hint = Gõ tên camera, trang hoặc lệnh; không cần dấu
palette-nothing = Không tìm thấy gì.
help-title = Phím tắt – { $page }
help-tree = Danh sách: bấm đúp để đưa camera vào ô trống kế tiếp; kéo để đặt vào một ô.
help-wall = Ô hình: bấm đúp để phóng to; kéo sang ô khác để đổi chỗ; lăn chuột để phóng hình.
help-timeline = Dòng thời gian: lăn chuột để phóng to; kéo để di chuyển; bấm để đến thời điểm đó.
help-typing = Khi đang gõ chữ, các phím một chữ cái không phải là lệnh.
help-version = Bàn giám sát { $console } · máy chủ { $server }
settings-title = Cài đặt máy này
settings-workstation = Tên máy
settings-workstation-hint = Tên máy được ghi làm người đánh dấu sự việc.
settings-scale = Cỡ hiển thị
settings-sound = Loa
settings-sound-starting = Đang tìm loa…
settings-server = Máy chủ

## Thanh trạng thái

status-connected = Đã kết nối máy chủ
status-connecting = Đang kết nối máy chủ…
status-lost = Mất kết nối máy chủ
status-recording = Đang ghi { $count }/{ $all } camera
status-failed = { $count } camera lỗi
status-disk = Đĩa còn { $free }
status-store-problem = Kho lưu trữ gặp lỗi
status-export = Đang trích xuất { $percent } %
status-no-gpu = Vẽ bằng CPU, hình có thể chậm
status-no-sound = Máy này không có loa
status-sound-failed = Loa gặp lỗi

## Khi không có máy chủ

offline-opening = Đang kết nối máy chủ…
offline-title = Không kết nối được máy chủ
offline-trying = Đang thử lại…
offline-retry = Tự thử lại sau { $seconds } giây
offline-check = Hãy kiểm tra
offline-check-server = Máy chủ đã bật và chương trình minhbach-server đang chạy
offline-check-network = Máy này còn kết nối mạng
offline-check-address = Địa chỉ ở trên đúng là địa chỉ của máy chủ
offline-recording = Nếu máy chủ vẫn chạy, việc ghi hình không bị ảnh hưởng.

## Thông báo

toast-flagged = Đã đánh dấu sự việc trên { $count } camera
toast-note-hint = Ghi chú (không bắt buộc), Enter để lưu
toast-undone = Đã bỏ đánh dấu sự việc
toast-nothing-to-undo = Không có gì để hoàn tác.
toast-incident-saved = Đã lưu sự việc
toast-no-camera = Chưa có camera nào trên tường hình.
toast-no-gap = Ở đây không có khoảng trống nào để bỏ qua.
toast-nothing-recorded = Các camera này chưa có bản ghi nào.
toast-mark-first = Chọn một đoạn trước: bấm { "[" } ở điểm đầu và { "]" } ở điểm cuối.
toast-sound-on = Đã bật tiếng: { $camera }
toast-camera-saved = Đã lưu camera “{ $camera }”
toast-camera-paused = Đã tạm dừng ghi
toast-camera-resumed = Đã ghi tiếp
toast-camera-removed = Đã gỡ bỏ camera
toast-export-started = Đang trích xuất { $count } tệp
toast-export-done = Đã trích xuất { $count } tệp vào { $folder }
toast-export-failed = { $failed } tệp không trích xuất được, { $count } tệp đã xong
toast-export-cancelled = Đã hủy trích xuất
toast-list-written = Đã lưu danh sách: { $path }
toast-copied = Đã sao chép

## Khi một việc không thành

failed-flag = Chưa đánh dấu được sự việc. { $why }
failed-undo = Chưa bỏ được đánh dấu. { $why }
failed-incident = Chưa lưu được sự việc. { $why }
failed-camera = Chưa thực hiện được với camera. { $why }
failed-test = Chưa kiểm tra được camera. { $why }
failed-timeline = Chưa đọc được bản ghi. { $why }
failed-file = Chưa ghi được tệp. { $why }

error-unreachable = Không kết nối được máy chủ.
error-not-found = Mục này không còn trên máy chủ.
error-refused = Máy chủ không chấp nhận yêu cầu.
error-conflict = Người khác vừa thay đổi; hãy xem lại rồi làm tiếp.
error-timed-out = Máy chủ trả lời quá chậm.
error-broken = Máy chủ và bàn giám sát không hiểu nhau; hãy kiểm tra phiên bản.
error-local = Không ghi được vào đĩa của máy này.
error-busy = Đang có quá nhiều yêu cầu, hãy thử lại.

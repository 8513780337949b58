//! Digest authentication that a single camera can be told to refuse.
//!
//! gst-rtsp-server has one authentication for all mount points; this one asks the camera first.

use std::sync::Arc;

use gstreamer::glib;
use gstreamer_rtsp_server as rtsp;

use crate::camera::Camera;

glib::wrapper! {
    /// The authentication of all simulated cameras.
    pub struct CameraAuth(ObjectSubclass<imp::CameraAuth>) @extends rtsp::RTSPAuth;
}

impl CameraAuth {
    /// Authentication for cameras whose number is their place.
    pub(crate) fn new(cameras: Arc<[Arc<Camera>]>) -> Self {
        use glib::subclass::prelude::*;
        let auth: Self = glib::Object::new();
        // Set once, here, before anybody else can see the object.
        let _first = auth.imp().cameras.set(cameras);
        auth
    }
}

mod imp {
    use std::sync::{Arc, OnceLock};

    use gstreamer::glib;
    use gstreamer_rtsp_server as rtsp;
    use gstreamer_rtsp_server::subclass::prelude::*;

    use crate::camera::Camera;
    use crate::rtsp::camera_of;

    /// What it asks.
    #[derive(Default)]
    pub struct CameraAuth {
        pub(super) cameras: OnceLock<Arc<[Arc<Camera>]>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for CameraAuth {
        const NAME: &'static str = "MinhBachCameraAuth";
        type Type = super::CameraAuth;
        type ParentType = rtsp::RTSPAuth;
    }

    impl ObjectImpl for CameraAuth {}

    impl RTSPAuthImpl for CameraAuth {
        /// False answers 401 with a challenge, as a wrong password does.
        fn authenticate(&self, context: &rtsp::RTSPContext) -> bool {
            let number = context.uri().and_then(|uri| camera_of(&uri.request_uri()));
            let camera = number.and_then(|number| self.cameras.get()?.get(number));
            let refuses = camera.is_some_and(|camera| camera.refuses_password());
            !refuses && self.parent_authenticate(context)
        }
    }
}

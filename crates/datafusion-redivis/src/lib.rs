//! datafusion-redivis

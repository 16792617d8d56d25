//! A Vue page and an API behind nginx, signed in to by vestibule

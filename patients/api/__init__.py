"""How a patient's device proves who it is."""

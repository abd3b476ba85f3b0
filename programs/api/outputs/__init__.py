"""What the patient's endpoints answer."""

"""Home Assistant MQTT discovery: what thousands of devices speak already."""

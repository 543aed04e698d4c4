"""Where positions come in: HTTP, MQTT, TCP; decoded in ``fleet``, stored by one writer."""

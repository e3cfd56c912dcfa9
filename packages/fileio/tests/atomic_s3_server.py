"""Run moto's S3 server, with conditional writes that are atomic as those of S3 are.

moto looks for the object and writes it afterwards, so two writers at a time could both succeed.
"""

import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple


def serialize_conditional_requests(app):
    lock = threading.Lock()

    def call(environ, start_response):
        if "HTTP_IF_NONE_MATCH" not in environ:
            return app(environ, start_response)
        with lock:
            return list(app(environ, start_response))

    return call


if __name__ == "__main__":
    application = DomainDispatcherApplication(create_backend_app)
    port = int(sys.argv[1])
    run_simple("127.0.0.1", port, serialize_conditional_requests(application), threaded=True)

import FuzzDriver
import FuzzLaws

FuzzDriver.run(.http2)

import FuzzDriver
import FuzzLaws

FuzzDriver.run(.pipeline)

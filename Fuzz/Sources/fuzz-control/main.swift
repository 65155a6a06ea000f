import FuzzDriver
import FuzzLaws

FuzzDriver.run(.control)
